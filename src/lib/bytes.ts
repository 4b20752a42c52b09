const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes for the user, in powers of 1000 as docker and df -H print them: `812 B`, `1.2 GB`, `45 MB`. */
export function toBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  return `${unit === 0 || amount >= 9.95 ? Math.round(amount) : amount.toFixed(1)} ${units[unit]}`;
}
