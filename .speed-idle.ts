import { readUsage, toShares } from '/work/wt/speed/scripts/bench/node-usage.ts';
const [seconds, ...nodes] = process.argv.slice(2);
const before = await Promise.all(nodes.map(readUsage));
await new Promise((r) => setTimeout(r, Number(seconds) * 1000));
const after = await Promise.all(nodes.map(readUsage));
nodes.forEach((n, i) => {
  const { all, programs } = toShares(before[i], after[i]);
  console.log(n, 'CPU', all.toFixed(1), '% mem', after[i].megabytes.toFixed(0));
  console.log('  ', [...programs].sort((a, b) => b[1] - a[1]).filter(([, v]) => v >= 0.1).map(([k, v]) => `${k} ${v.toFixed(2)}`).join(', '));
});
