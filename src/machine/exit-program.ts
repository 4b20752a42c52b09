/** ELF's number of each processor, and its instructions for exit(0). */
const processors: Readonly<Record<string, { readonly machine: number; readonly code: readonly number[] }>> = {
  // mov eax, 60; xor edi, edi; syscall
  amd64: { machine: 62, code: [0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05] },
  // mov x0, #0; mov x8, #93; svc #0
  arm64: { machine: 183, code: [0x00, 0x00, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4] },
};

const headerSize = 64;
const segmentSize = 56;
const base = 0x40_0000n;

/**
 * The smallest Linux program that exits with 0 (elf(5)): one loaded segment, no libraries. Undefined for other processors.
 */
export function exitProgram(arch: string): Uint8Array | undefined {
  const processor = processors[arch];
  if (processor === undefined) return undefined;
  const { machine, code } = processor;
  const size = BigInt(headerSize + segmentSize + code.length);
  const file = Buffer.alloc(Number(size));

  file.set([0x7f, ...Buffer.from('ELF'), 2, 1, 1]); // 64 bits, little-endian, version 1
  file.writeUInt16LE(2, 16); // executable
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(base + BigInt(headerSize + segmentSize), 24); // entry
  file.writeBigUInt64LE(BigInt(headerSize), 32); // where the segments are listed
  file.writeUInt16LE(headerSize, 52);
  file.writeUInt16LE(segmentSize, 54);
  file.writeUInt16LE(1, 56); // one of them

  file.writeUInt32LE(1, headerSize); // loaded
  file.writeUInt32LE(5, headerSize + 4); // readable, executable
  file.writeBigUInt64LE(base, headerSize + 16);
  file.writeBigUInt64LE(base, headerSize + 24);
  file.writeBigUInt64LE(size, headerSize + 32);
  file.writeBigUInt64LE(size, headerSize + 40);
  file.writeBigUInt64LE(0x1000n, headerSize + 48);
  file.set(code, headerSize + segmentSize);
  return file;
}
