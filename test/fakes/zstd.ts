/** Content as a zstd frame of uncompressed blocks (RFC 8878, 3.1.1), which Node writes only since 22.15. */
export function toZstd(content: Buffer): Buffer {
  const largest = 128 * 1024;
  const count = Math.max(1, Math.ceil(content.length / largest));
  const blocks = Array.from({ length: count }, (_, at) => {
    const block = content.subarray(at * largest, (at + 1) * largest);
    const header = Buffer.alloc(3);
    header.writeUIntLE(block.length * 8 + (at === count - 1 ? 1 : 0), 0, 3);
    return Buffer.concat([header, block]);
  });
  // No checksum, no size of the content, a window of 8 MB.
  return Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68]), ...blocks]);
}
