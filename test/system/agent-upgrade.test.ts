/** An orchestrator and three hosts with the packed agent, as processes: a version comes in waves, and stops where a host does not come up with it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  packAgent,
  superviseAgent,
  type AgentVersion,
  type PackedAgent,
  type SupervisedAgent,
} from '../../agents/testkit/packed-agent.ts';
import type { components } from '../../api-specs/generated/iotmano.ts';
import { createApiClient, type ApiClient } from '../kit/api-client.ts';

type Upgrade = components['schemas']['AgentUpgrade'];

// Orchestrator, agents and commands are some fifty programs.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 200_000 });

const CLI = join(import.meta.dirname, '../../cli/main.ts');
const RELEASES = '/iotmano/v1/agent_releases';
const UPGRADES = '/iotmano/v1/agent_upgrades';
const HOSTS = ['gw-1', 'gw-2', 'gw-3'] as const;

const directory = mkdtempSync(join(tmpdir(), 'agent-upgrade-'));
const agents = new Map<string, SupervisedAgent>();
let packed: PackedAgent;
let orchestrator: ChildProcess | undefined;
let url = '';
let client: ApiClient;

/** The first start finds a port, and the others have it again. */
async function up(): Promise<void> {
  const listen = url === '' ? '127.0.0.1:0' : new URL(url).host;
  const child = spawn(
    process.execPath,
    [CLI, 'up', '--listen', listen, '--data', join(directory, 'orchestrator')],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  orchestrator = child;
  let text = '';
  url = await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /orchestrator on (http:\/\/\S+?),/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once('exit', (code) => reject(new Error(`the orchestrator ended with ${code}: ${text}`)));
  });
  client = createApiClient(url, readFileSync(join(directory, 'orchestrator', 'admin.token'), 'utf8').trim());
}

async function kill(): Promise<void> {
  const child = orchestrator;
  orchestrator = undefined;
  if (child === undefined) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

async function command(...words: readonly string[]): Promise<string> {
  const env = { ...process.env, IOTMANO_URL: url, IOTMANO_DATA: join(directory, 'orchestrator') };
  const child = spawn(process.execPath, [CLI, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return `${text}exit ${code}`;
}

async function eventually(what: string, look: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + 150_000;
  while (!(await look())) {
    if (performance.now() > until)
      throw new Error(
        `it never came to pass that ${what}: ${await command('agent', 'upgrades', 'list')} ${await command('hosts')}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function versions(): Promise<readonly string[]> {
  const { body } =
    await client.get<readonly { hostId: string; facts?: { agentVersion?: string } }[]>('/iotmano/v1/hosts');
  return body.map(({ facts }) => facts?.agentVersion ?? '');
}

async function newest(): Promise<Upgrade> {
  const { body } = await client.get<readonly Upgrade[]>(UPGRADES);
  const [last] = body.toSorted((a, b) => b.startTime.localeCompare(a.startTime));
  if (last === undefined) throw new Error('there is no upgrade');
  return (await client.get<Upgrade>(`${UPGRADES}/${last.id}`)).body;
}

async function addRelease(version: AgentVersion): Promise<void> {
  const file = join(directory, `${version.version}.js`);
  writeFileSync(file, version.content);
  expect(await command('agent', 'release', 'add', file)).toMatch(
    new RegExp(`added ${version.version} as .*\nexit 0`),
  );
}

beforeAll(async () => {
  packed = await packAgent();
  await up();
  for (const hostId of HOSTS) {
    const { body } = await client.post<{ token: string }>('/iotmano/v1/enrolment_tokens', { hostId });
    agents.set(
      hostId,
      superviseAgent({ serverUrl: url, installed: packed.version('1.0.0'), hostId, token: body.token }),
    );
  }
  await eventually(
    'all hosts are there',
    async () => (await versions()).every((each) => each === '1.0.0') && (await versions()).length === 3,
  );
});

afterAll(async () => {
  await Promise.all([...agents.values()].map((agent) => agent.stop()));
  await kill();
  for (const { dataDirectory } of agents.values())
    rmSync(dirname(dataDirectory), { recursive: true, force: true });
  rmSync(directory, { recursive: true, force: true });
  packed.cleanUp();
});

describe('agents that are upgraded in waves', () => {
  // MCO-O-082, MCO-O-096
  it('stop at the host that does not come up, say why, and go on after a kill -9 of the orchestrator', async () => {
    const fault = 'if (process.argv.includes("run") && process.argv.includes("gw-2")) process.exit(7);';
    await addRelease(packed.version('2.0.0', fault));
    expect(await command('agent', 'upgrade', '2.0.0', '--wave', '1', '2', '--no-wait')).toMatch(
      /begun as .*exit 0/s,
    );
    await eventually(
      'the first host has its order',
      async () =>
        (await newest()).hosts?.some(
          ({ standing }) => standing === 'UNDER_WAY' || standing === 'UPGRADED',
        ) === true,
    );
    await kill();
    await up();
    await eventually('it stops', async () => (await newest()).operationState === 'FAILED_TEMP');
    const { error, hosts = [], wavesDone } = await newest();
    expect(error?.detail).toMatch(/gw-2 did not come up with the version: .*exit code 7/);
    expect(wavesDone).toBe(1);
    expect(
      hosts.map(({ hostId, standing, version }) => `${hostId} ${standing} ${version}`).toSorted(),
    ).toEqual(['gw-1 UPGRADED 2.0.0', 'gw-2 FAILED 1.0.0', 'gw-3 WAITING 1.0.0']);
    expect(await command('hosts')).toMatch(/gw-2 .*1\.0\.0 \(2\.0\.0 rolled back\)/);
    expect(await command('agent', 'upgrade', '2.0.0')).toMatch(/FAILED_TEMP.*exit 6/s);
    expect(await command('agent', 'upgrade', '--fail')).toMatch(/is over\nexit 0/);
  });

  // MCO-O-097
  it('do not wait for a host that is away, which gets the version when it is back', async () => {
    await agents.get('gw-3')?.stop();
    await eventually(
      'gw-3 is missed',
      async () => (await client.get<{ state: string }>('/iotmano/v1/hosts/gw-3')).body.state !== 'READY',
    );
    await addRelease(packed.version('3.0.0'));
    expect(await command('agent', 'upgrade', '3.0.0')).toMatch(/agents are at 3\.0\.0\nexit 0/);
    expect(await versions()).toEqual(['3.0.0', '3.0.0', '1.0.0']);
    expect((await newest()).counts).toMatchObject({ UPGRADED: 2, AWAY: 1 });
    expect(await command('agent', 'upgrades', 'show')).toMatch(/COMPLETED .*gw-3 +AWAY .*exit 0/s);
    const { body } = await client.get<readonly { id: string; version: string }[]>(RELEASES);
    const release = body.find(({ version }) => version === '3.0.0');
    expect((await client.delete(`${RELEASES}/${release?.id ?? ''}`)).status).toBe(409);
    agents.get('gw-3')?.start();
    await eventually('it has it, too', async () => (await versions()).every((each) => each === '3.0.0'));
  });

  it('go on without hosts that are revoked or forgotten in the middle of a trial, also after a kill -9', async () => {
    const hang =
      'if (process.argv.includes("run") && !process.argv.includes("gw-3")) await new Promise((resolve) => setTimeout(resolve, 600_000));';
    await addRelease(packed.version('4.0.0', hang));
    expect(await command('agent', 'upgrade', '4.0.0', '--wave', '2', '--no-wait')).toMatch(/exit 0/);
    const tries = (hostId: string): boolean => agents.get(hostId)?.pointer()?.['trial'] !== undefined;
    await eventually('two are on trial', async () => tries('gw-1') && tries('gw-2'));
    await kill();
    await up();
    expect((await client.patch('/iotmano/v1/hosts/gw-1', { revoked: true })).status).toBe(200);
    expect((await client.delete('/iotmano/v1/hosts/gw-2')).status).toBe(204);
    await eventually('it is over', async () => (await newest()).operationState !== 'PROCESSING');
    const { operationState, hosts = [] } = await newest();
    expect(operationState).toBe('COMPLETED');
    expect(hosts.map(({ hostId, standing }) => `${hostId} ${standing}`).toSorted()).toEqual([
      'gw-1 IMPOSSIBLE',
      'gw-3 UPGRADED',
    ]);
    expect(await command('agent', 'upgrade', '4.0.0', '--select', 'host = gw-2')).toMatch(
      /"host = gw-2" matches none of the hosts that have an agent \(gw-1, gw-3\)/,
    );
  });
});
