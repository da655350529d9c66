/** What flows between functions, and functions that end: bindings that follow their provider, and jobs. */
import { createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createTestSystem,
  eventually,
  isAlive,
  type Copy,
  type TestSystem,
  type Told,
} from '../kit/test-system.ts';

const PATIENT = { restart: { within: '60s', times: 5, backoff: '200ms..1s' }, lostAfter: '30s' };

let system: TestSystem;

beforeAll(async () => {
  system = await createTestSystem();
  await system.startOrchestrator();
  await system.addHosts('host-a', 'host-b');
  await system.onboard({
    provider: {
      provides: 'speech',
      more: { healing: PATIENT, placement: { prefer: [{ expression: 'site = host-a', weight: 100 }] } },
    },
    client: {
      requires: 'speech',
      more: { healing: PATIENT, placement: { require: ['site = host-b'] } },
    },
    'good-job': { args: ['exit', '0'], more: { run: { mode: 'job' } } },
    'bad-job': {
      args: ['exit', '3'],
      more: {
        run: { mode: 'job' },
        healing: { restart: { within: '60s', times: 1, backoff: '100ms..200ms' }, lostAfter: '30s' },
      },
    },
  });
}, 60_000);

afterAll(() => system.cleanUp(), 30_000);

async function pair(): Promise<{ readonly provider: Copy; readonly client: Copy; readonly told: Told }> {
  const copies = await system.running('talk', 2);
  const [provider, client] = ['provider', 'client'].map((name) =>
    copies.find((copy) => copy.function === name),
  );
  if (provider === undefined || client === undefined) throw new Error('the service has other functions');
  return { provider, client, told: await system.ask(client) };
}

/** Waits until the client has been told of another port than that, and says what it now knows. */
function toldAnew(client: Copy, old: number | undefined): Promise<Told> {
  return eventually('the client knows another endpoint', async () => {
    const told = await system.ask(client);
    const ports = portsOf(told);
    return ports.length === 1 && ports[0] !== old && told;
  });
}

const portsOf = (told: Told): number[] =>
  (told.bindings?.requires['speech']?.endpoints ?? []).map(({ port }) => port);

/** Its threads end one by one: a killed process may hold its port a moment longer than it looks alive. */
function occupy(port: number): Promise<Server> {
  return eventually(`port ${port} is free`, () => {
    const server = createServer();
    return new Promise<Server | false>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(server));
    });
  });
}

describe('a function that requires another one', () => {
  it('is told where its provider is, and told anew when that starts on another port or host, without a restart', async () => {
    const id = await system.deploy('talk', [
      { name: 'provider' },
      { name: 'client', bind: { speech: 'provider' } },
    ]);
    const { provider, client, told } = await pair();
    expect(provider.hostId).toBe('host-a');
    expect(portsOf(told)).toEqual([provider.ports['http']]);

    // Somebody takes the provider's port while it is down and its agent cannot see it.
    const agent = system.agent('host-a');
    process.kill(agent.pid, 'SIGSTOP');
    const { pid } = await system.ask(provider);
    process.kill(pid, 'SIGKILL');
    await eventually('it is gone', () => !isAlive(pid));
    const intruder = await occupy(provider.ports['http'] ?? 0);
    process.kill(agent.pid, 'SIGCONT');
    const second = await toldAnew(client, provider.ports['http']);
    intruder.close();
    expect((await pair()).provider.ports['http']).toBe(portsOf(second)[0]);

    await system.request('PATCH', '/iotmano/v1/hosts/host-a', { draining: true });
    const third = await toldAnew(client, portsOf(second)[0]);
    const after = await pair();
    expect(after.provider.hostId).toBe('host-b');
    expect(portsOf(third)).toEqual([after.provider.ports['http']]);
    expect([second.pid, third.pid]).toEqual([told.pid, told.pid]);
    expect(third.reloads).toBeGreaterThanOrEqual(2);

    await system.request('PATCH', '/iotmano/v1/hosts/host-a', { draining: false });
    expect((await system.ended(await system.begin(id, 'terminate'))).operationState).toBe('COMPLETED');
  }, 60_000);
});

describe('a job', () => {
  it('completes its instantiation by ending with code 0', async () => {
    await system.deploy('good-job', [{ name: 'good-job' }]);
    expect(await system.copies('good-job')).toMatchObject([{ state: 'COMPLETED' }]);
  }, 40_000);

  it('fails its instantiation, naming the code that it ended with', async () => {
    const id = await system.createService('bad-job', [{ name: 'bad-job' }]);
    const { operationState, error } = await system.ended(await system.begin(id, 'instantiate'));
    expect(operationState).toBe('FAILED_TEMP');
    expect(error?.detail).toMatch(/\b(code|exit\w*) 3\b/);
  }, 40_000);
});
