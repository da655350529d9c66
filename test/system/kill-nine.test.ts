/** The orchestrator and agents as processes, killed with SIGKILL at bad moments: operations end right, and functions do not notice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestSystem, eventually, isAlive, type TestSystem } from '../kit/test-system.ts';
import { invariantIdOf } from '../kit/tiny-function.ts';

let system: TestSystem;

beforeAll(async () => {
  system = await createTestSystem();
  await system.startOrchestrator();
  await system.addHosts('host-a', 'host-b');
  await system.onboard({
    one: {},
    two: { provides: 'two' },
    three: { requires: 'two' },
    unmoved: {
      more: { healing: { restart: { within: '60s', times: 5, backoff: '200ms..1s' }, lostAfter: '60s' } },
    },
  });
}, 60_000);

afterAll(() => system.cleanUp(), 30_000);

const CHAIN = [{ name: 'one' }, { name: 'two' }, { name: 'three', bind: { two: 'two' } }];
/** Three that stay where they are. */
const UNMOVED = ['first', 'second', 'third'].map((name) => ({ name, function: invariantIdOf('unmoved') }));

async function killAndRestartOrchestrator(): Promise<void> {
  await system.orchestrator().kill();
  await system.startOrchestrator();
}

async function pidsOf(service: string, count: number): Promise<number[]> {
  const copies = await system.running(service, count);
  return Promise.all(copies.map(async (copy) => (await system.ask(copy)).pid));
}

describe('an orchestrator that is killed', () => {
  it('goes on with an instantiate from wherever it was, and ends it right', async () => {
    const id = await system.createService('resumed', CHAIN);
    const operation = await system.begin(id, 'instantiate');
    await system.orchestrator().kill();
    // Agents that were not told of impatient functions yet come back later than those bear.
    await sleep(4000);
    await system.startOrchestrator();
    // Once more in the middle, as soon as something runs.
    await eventually('the first copy is there', async () => (await system.copies('resumed')).length > 0);
    await killAndRestartOrchestrator();
    expect(await system.ended(operation)).toMatchObject({ operationState: 'COMPLETED' });
    const pids = await pidsOf('resumed', 3);
    await killAndRestartOrchestrator();
    expect(await pidsOf('resumed', 3)).toEqual(pids);
  }, 60_000);

  it('goes on with a terminate, and leaves no process of it behind', async () => {
    const id = await system.deploy('ended', CHAIN);
    const pids = await pidsOf('ended', 3);
    const operation = await system.begin(id, 'terminate');
    await killAndRestartOrchestrator();
    expect(await system.ended(operation)).toMatchObject({ operationState: 'COMPLETED' });
    expect(await system.copies('ended')).toEqual([]);
    expect(pids.filter(isAlive)).toEqual([]);
    expect((await system.request('DELETE', `/nslcm/v2/ns_instances/${id}`)).status).toBe(204);
  }, 60_000);

  it('answers a repeated create and instantiate with what the first ones made', async () => {
    const id = await system.createService('offered', CHAIN);
    const { nsdId } = await system.get<{ nsdId: string }>(`/nslcm/v2/ns_instances/${id}`);
    const create = () =>
      system.request<{ id: string }>(
        'POST',
        '/nslcm/v2/ns_instances',
        { nsdId, nsName: 'again', nsDescription: '' },
        { 'idempotency-key': 'create-1' },
      );
    const first = await create();
    await killAndRestartOrchestrator();
    expect(await create()).toMatchObject({ status: 201, body: { id: first.body.id } });

    const instantiate = () =>
      system.request(
        'POST',
        `/nslcm/v2/ns_instances/${first.body.id}/instantiate`,
        { nsFlavourId: 'default' },
        { 'idempotency-key': 'instantiate-1' },
      );
    const started = await instantiate();
    await killAndRestartOrchestrator();
    const repeated = await instantiate();
    expect(repeated.status).toBe(202);
    expect(repeated.headers.get('location')).toBe(started.headers.get('location'));
    const operations = await system.get<{ nsInstanceId: string }[]>('/nslcm/v2/ns_lcm_op_occs');
    expect(operations.filter(({ nsInstanceId }) => nsInstanceId === first.body.id)).toHaveLength(1);
    await system.running('again', 3);
  }, 60_000);
});

describe('an orchestrator that was away for longer than functions bear the silence of their host', () => {
  it('does not take for lost the hosts that could not reach it', async () => {
    const id = await system.deploy('patient', CHAIN);
    const copies = await system.running('patient', 3);
    const pids = await pidsOf('patient', 3);
    await system.orchestrator().kill();
    // Twice what the functions bear.
    await sleep(4000);
    await system.startOrchestrator();
    await sleep(3000);
    expect((await system.running('patient', 3)).map((copy) => copy.id)).toEqual(
      copies.map((copy) => copy.id),
    );
    expect(await pidsOf('patient', 3)).toEqual(pids);
    const operations = await system.get<{ operation: string; vnfInstanceId: string }[]>(
      '/vnflcm/v2/vnf_lcm_op_occs',
    );
    const own = new Set(copies.map(({ vnfInstanceId }) => vnfInstanceId));
    expect(
      operations.filter(({ operation, vnfInstanceId }) => operation === 'HEAL' && own.has(vnfInstanceId)),
    ).toEqual([]);
    expect(await system.ended(await system.begin(id, 'terminate'))).toMatchObject({
      operationState: 'COMPLETED',
    });
  }, 60_000);
});

describe('an agent that is killed', () => {
  it('leaves its functions alone, takes them over again, and starts what died meanwhile', async () => {
    // Of functions that bear the silence of their host for longer than an agent can take to come back.
    const id = await system.deploy('adopted', UNMOVED);
    const copies = await system.running('adopted', 3);
    const [dying] = copies;
    const agents = [...new Set(copies.map(({ hostId }) => hostId))];
    const pids = await pidsOf('adopted', 3);
    await Promise.all(agents.map((hostId) => system.agent(hostId).kill()));
    expect(pids.filter(isAlive)).toEqual(pids);

    const died = pids[0] ?? 0;
    process.kill(died, 'SIGKILL');
    await Promise.all(agents.map((hostId) => system.startAgent(hostId)));
    await eventually('it is started again', async () => {
      const copy = (await system.copies('adopted')).find((other) => other.id === dying?.id);
      return copy?.state === 'RUNNING' && copy.restarts > 0;
    });
    const after = await pidsOf('adopted', 3);
    expect(after.slice(1)).toEqual(pids.slice(1));
    expect(after[0]).not.toBe(died);
    expect((await system.copies('adopted')).map((copy) => copy.id)).toEqual(copies.map((copy) => copy.id));
    expect(await system.ended(await system.begin(id, 'terminate'))).toMatchObject({
      operationState: 'COMPLETED',
    });
  }, 60_000);
});
