import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SIZE_MIB = 200;
const DESCRIPTOR = `apiVersion: iotmano/v1
kind: IoTFunctionDescriptor
metadata: { invariantId: urn:test:function:big, provider: test, productName: big, softwareVersion: 1.0.0, descriptorVersion: 1.0.0, role: ae }
units:
  - name: big
    artifacts: [{ type: process, command: [node, main.js], files: big.tgz }]
    resources: { cpu: 100m, memory: 64Mi }
`;

it('builds and unpacks a package that is larger than the memory this takes', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'iotmano-archive-memory-'));
  try {
    await mkdir(join(directory, 'in/artifacts'), { recursive: true });
    await writeFile(join(directory, 'in/descriptor.yaml'), DESCRIPTOR);
    const big = await open(join(directory, 'in/artifacts/big.tgz'), 'w');
    const block = randomBytes(1024 * 1024);
    for (let count = 0; count < SIZE_MIB; count++) await big.write(block);
    await big.close();
    const program = fileURLToPath(new URL('testkit/read-and-report.ts', import.meta.url));
    const paths = ['in', 'big.zip', 'out'].map((name) => join(directory, name));
    const { stdout } = await promisify(execFile)(process.execPath, [program, ...paths]);
    const report = JSON.parse(stdout) as { faults: unknown[]; bytes: number; grownMiB: number };
    expect(report.faults).toEqual([]);
    expect(report.bytes).toBe(SIZE_MIB * 1024 * 1024 + DESCRIPTOR.length);
    expect(report.grownMiB).toBeLessThan(150);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 60_000);
