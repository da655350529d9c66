/** Packs the project, installs the package in an empty folder elsewhere, and runs it there: what a user of the package does first. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'iotmano-pack-'));
const START_SECONDS = 20;
/** What the orchestrator may take before it has anything to do. */
const MAX_RESIDENT_MIB = 150;

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0)
    throw new RangeError(`${command} ${args.join(' ')} ended with ${status}\n${stdout}\n${stderr}`);
  return stdout;
}

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** @returns resident memory of the orchestrator at rest, MiB */
async function startsAndStops(program: string): Promise<number> {
  const port = await freePort();
  const data = join(folder, 'state');
  const child = spawn(process.execPath, [program, 'up', '--listen', `127.0.0.1:${port}`, '--data', data], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let residentMib = 0;
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  try {
    const deadline = performance.now() + START_SECONDS * 1000;
    while (!(await answers(`http://127.0.0.1:${port}/readyz`))) {
      if (performance.now() > deadline || child.exitCode !== null)
        throw new RangeError(`the installed orchestrator was not ready within ${START_SECONDS} s`);
      await sleep(100);
    }
    const env = { ...process.env, IOTMANO_URL: `http://127.0.0.1:${port}`, IOTMANO_DATA: data };
    const hosts = spawnSync(process.execPath, [program, 'hosts', '-o', 'json'], {
      cwd: folder,
      env,
      encoding: 'utf8',
    });
    if (hosts.status !== 0 || hosts.stdout.trim() !== '[]')
      throw new RangeError(`iotmano hosts said ${hosts.stdout}${hosts.stderr}`);
    residentMib = residentMibOf(child.pid ?? 0);
    if (residentMib > MAX_RESIDENT_MIB)
      throw new RangeError(`the orchestrator takes ${residentMib} MiB at rest, over ${MAX_RESIDENT_MIB}`);
  } finally {
    child.kill('SIGTERM');
  }
  if ((await ended) !== 0) throw new RangeError('the installed orchestrator did not stop cleanly');
  return residentMib;
}

function residentMibOf(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kibibytes) / 1024);
}

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

try {
  const [{ filename = '', unpackedSize = 0 } = {}] = JSON.parse(
    run('npm', ['pack', '--json', '--pack-destination', folder], root).replace(/^[^[]*/s, ''),
  ) as { filename?: string; unpackedSize?: number }[];
  writeFileSync(join(folder, 'package.json'), '{"name":"elsewhere","private":true}');
  run('npm', ['install', '--omit=dev', '--no-audit', '--no-fund', join(folder, filename)], folder);
  const program = join(folder, 'node_modules/iotmano/bin/iotmano.js');
  run(process.execPath, [program, '--help'], folder);
  const residentMib = await startsAndStops(program);
  process.stdout.write(
    `${filename} (${Math.round(unpackedSize / 1024)} KiB unpacked) installs and runs elsewhere, in ${residentMib} MiB at rest\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
