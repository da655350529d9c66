/** Packs the project, installs the package in an empty folder elsewhere, and runs it there: what a user of the package does first. */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'iotmano-pack-'));
const START_SECONDS = 20;
const REST_MILLISECONDS = 5000;
/** What the orchestrator may take before it has anything to do. */
const MAX_RESIDENT_MIB = 150;
/** What an agent may take, without functions: 80 is the aim, and a run differs from the next by a few. */
const MAX_AGENT_MIB = 90;

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

/** @returns resident memory at rest, MiB */
async function startsAndStops(program: string): Promise<{ orchestratorMib: number; agentMib: number }> {
  const port = await freePort();
  const data = join(folder, 'state');
  const child = spawn(process.execPath, [program, 'up', '--listen', `127.0.0.1:${port}`, '--data', data], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let orchestratorMib = 0;
  let agentMib = 0;
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
    orchestratorMib = residentMibOf(child.pid ?? 0);
    if (orchestratorMib > MAX_RESIDENT_MIB)
      throw new RangeError(`the orchestrator takes ${orchestratorMib} MiB at rest, over ${MAX_RESIDENT_MIB}`);
    agentMib = await agentComesUp(program, env);
    if (agentMib > MAX_AGENT_MIB)
      throw new RangeError(`the agent takes ${agentMib} MiB at rest, over ${MAX_AGENT_MIB}`);
  } finally {
    child.kill('SIGTERM');
  }
  if ((await ended) !== 0) throw new RangeError('the installed orchestrator did not stop cleanly');
  return { orchestratorMib, agentMib };
}

/** The agent's folder, moved to where nothing else of ours is. @returns its resident memory at rest, MiB */
async function agentComesUp(program: string, env: NodeJS.ProcessEnv): Promise<number> {
  const elsewhere = mkdtempSync(join(tmpdir(), 'iotmano-agent-'));
  cpSync(join(program, '../../dist/agent'), elsewhere, { recursive: true });
  const ask = (...words: readonly string[]): string => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [program, ...words], {
      env,
      encoding: 'utf8',
    });
    if (status !== 0) throw new RangeError(`iotmano ${words.join(' ')} said ${stderr}`);
    return stdout.trim();
  };
  const agent = spawn(
    process.execPath,
    [
      join(elsewhere, 'iotmano-agent.js'),
      'run',
      '--host-id',
      'gw-1',
      '--tier',
      'device-edge',
      '--data',
      'data',
    ],
    {
      cwd: elsewhere,
      env: { ...env, IOTMANO_ENROLMENT_TOKEN: ask('token', 'enrol', '--host-id', 'gw-1') },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const ended = new Promise<number | null>((resolve) => agent.once('exit', (code) => resolve(code)));
  try {
    const deadline = performance.now() + START_SECONDS * 1000;
    while (!ask('hosts', '-o', 'json').includes('"READY"')) {
      if (performance.now() > deadline || agent.exitCode !== null)
        throw new RangeError(`the host of the packed agent was not READY within ${START_SECONDS} s`);
      await sleep(200);
    }
    await sleep(REST_MILLISECONDS);
    const residentMib = residentMibOf(agent.pid ?? 0);
    agent.kill('SIGTERM');
    if ((await ended) !== 0) throw new RangeError('the packed agent did not stop cleanly');
    return residentMib;
  } finally {
    agent.kill('SIGTERM');
    await ended;
    rmSync(elsewhere, { recursive: true, force: true });
  }
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
  const { orchestratorMib, agentMib } = await startsAndStops(program);
  process.stdout.write(
    `${filename} (${Math.round(unpackedSize / 1024)} KiB unpacked) installs and runs elsewhere; at rest the orchestrator takes ${orchestratorMib} MiB, its agent ${agentMib} MiB\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
