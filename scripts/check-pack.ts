/** Packs the project, installs the package in an empty folder elsewhere, and runs it there: what a user of the package does first. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'iotmano-pack-'));
const START_SECONDS = 20;

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

async function startsAndStops(program: string): Promise<void> {
  const port = await freePort();
  const data = join(folder, 'state');
  const child = spawn(process.execPath, [program, 'up', '--listen', `127.0.0.1:${port}`, '--data', data], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
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
  } finally {
    child.kill('SIGTERM');
  }
  if ((await ended) !== 0) throw new RangeError('the installed orchestrator did not stop cleanly');
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
  await startsAndStops(program);
  process.stdout.write(
    `${filename} (${Math.round(unpackedSize / 1024)} KiB unpacked) installs and runs elsewhere\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
