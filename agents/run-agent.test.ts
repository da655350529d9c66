import { deepEqual } from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../kernel/index.ts';
import { createFakeDriver } from '../vim-drivers/fake/index.ts';
import { workloadId, type DriverCapabilities, type VimDriver } from '../vim-drivers/index.ts';
import { enrolHost, leaveOrchestrator } from './index.ts';
import { assignmentOf } from './testkit/assignment.ts';
import { createAgentRunner, eventually, HOST_ID, type AgentRunner } from './testkit/agent-runner.ts';
import { startMcoDouble, type McoDouble } from './testkit/mco-double.ts';

let server: McoDouble;
let agent: AgentRunner;

beforeEach(async () => {
  server = await startMcoDouble();
  agent = createAgentRunner(server.url);
});

afterEach(async () => {
  await agent.cleanUp();
  await server.disappear();
  // Every request was as the Mco document says.
  deepEqual(server.faults, []);
});

/** What runs on the host, whatever anybody says. */
function running(): string[] {
  return [...agent.world.host(HOST_ID).workloads.entries()].flatMap(([id, { instances }]) =>
    [...instances.values()].map(({ pid }) => `${id}#${pid}`),
  );
}

function reportedState(name: string): string | undefined {
  return [...server.observed().values()].find(({ key }) => key.vnfInstanceId === name)?.instances[0]?.state;
}

/** The driver with some of its methods replaced. */
function overridden<Driver extends VimDriver>(driver: Driver, methods: Partial<Driver>): Driver {
  return new Proxy(driver, {
    get: (target, name) => {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('an agent and its orchestrator', () => {
  // MCO-C-008 MCO-O-003 MCO-O-035 MCO-O-037
  it('enrols, states its facts, reports in full, takes over what it has to run, and reports it', async () => {
    server.assign([assignmentOf()]);
    await agent.start();
    await eventually('the function is reported', () => reportedState('fn-1') === 'RUNNING');
    expect(server.facts[0]).toMatchObject({
      tier: 'device-edge',
      labels: { zone: 'north' },
      address: '127.0.0.1',
    });
    expect(server.reports[0]).toEqual({ full: true, workloads: [], removed: [] });
    expect(server.calls.indexOf('putFacts')).toBeLessThan(server.calls.indexOf('getWanted'));
    expect(server.calls.indexOf('postReport')).toBeLessThan(server.calls.indexOf('getWanted'));
    expect(server.reports.at(-1)?.appliedRevision).toBe(2);
  });

  // MCO-O-025
  it('follows every change of what is wanted', async () => {
    await agent.start();
    server.assign([assignmentOf({ name: 'a' }), assignmentOf({ name: 'b', instances: 2 })]);
    await eventually('three instances run', () => running().length === 3);
    server.assign([assignmentOf({ name: 'b', instances: 1 })]);
    await eventually('one is left', () => running().length === 1);
    await eventually('the other is reported gone', () => reportedState('a') === undefined);
  });

  // MCO-C-026
  it('needs no token once it is enrolled, and is the same host with the same key', async () => {
    await agent.start();
    await eventually('it is heard', () => server.calls.includes('getWanted'));
    await agent.stop();
    server.tokens.clear();
    server.assign([assignmentOf()]);
    await agent.start({ enrolmentToken: undefined });
    await eventually('it goes on', () => reportedState('fn-1') === 'RUNNING');
    expect(server.calls.filter((call) => call === 'enrolHost')).toHaveLength(1);
  });

  // MCO-C-027
  it('says at its first start what to do when the token is not taken', async () => {
    await expect(agent.start({ enrolmentToken: 'wrong-token-000001' })).rejects.toThrow(/get a new one/);
    await expect(agent.start({ enrolmentToken: undefined })).rejects.toThrow(
      /iotmano token enrol --host-id gw-1/,
    );
  });

  // MCO-C-027
  it('enrols again by itself when the orchestrator has forgotten the host and its token is still good', async () => {
    await agent.start();
    await eventually('it is heard', () => server.calls.includes('getWanted'));
    server.isEnrolled = false;
    server.assign([assignmentOf()]);
    await eventually('it is back', () => reportedState('fn-1') === 'RUNNING');
    expect(server.calls.filter((call) => call === 'enrolHost')).toHaveLength(2);
  });

  it('refuses a second agent on the same data directory', async () => {
    await agent.start();
    await expect(enrolHost(agent.options())).rejects.toMatchObject({ code: 'store-locked' });
  });

  // MCO-C-038
  it('opens a new session when the orchestrator has forgotten the old one, and goes on', async () => {
    await agent.start();
    await eventually('it is heard', () => server.calls.includes('getWanted'));
    server.forgetSessions();
    server.assign([assignmentOf()]);
    await eventually('it is back', () => reportedState('fn-1') === 'RUNNING');
    expect(server.calls.filter((call) => call === 'openSession').length).toBeGreaterThan(1);
  });

  // MCO-O-072
  it('leaves: is drained, stops what it runs, and forgets', async () => {
    server.assign([assignmentOf()]);
    await agent.start();
    await eventually('it runs', () => running().length === 1);
    await agent.stop();
    expect(await leaveOrchestrator({ ...agent.options(), signal: new AbortController().signal })).toBe(true);
    expect(running()).toEqual([]);
    expect(server.isEnrolled).toBe(false);
    expect(JSON.parse(readFileSync(join(agent.directory, 'identity.json'), 'utf8'))).toEqual({
      schemaVersion: 1,
      hostId: 'gw-1',
      isEnrolled: false,
    });
  });
});

describe('an agent on its own', () => {
  // MCO-O-050
  it('keeps functions running while it is stopped, and finds the same ones again', async () => {
    server.assign([assignmentOf()]);
    await agent.start();
    await eventually('it runs', () => running().length === 1);
    const before = running();
    await agent.stop();
    expect(running()).toEqual(before);
    await agent.start();
    await eventually('it reports again', () => server.reports.at(-1)?.full === true);
    expect(running()).toEqual(before);
  });

  // MCO-C-012
  it('numbers the messages of each operation from 1 in every boot, by one each', async () => {
    const jobs = [{ jobId: 'host', source: 'host', everySeconds: 0.1 }] as const;
    for (const name of ['fn-1', 'fn-2']) {
      server.assign([assignmentOf({ name })], jobs);
      await agent.start();
      await eventually('it is reported', () => reportedState(name) === 'RUNNING');
      const measured = server.measurements.length;
      await eventually('it is measured', () => server.measurements.length > measured);
      await agent.stop();
    }
    const series = Map.groupBy(server.numbered, ({ operationId, bootId }) => `${operationId} of ${bootId}`);
    expect([...series.keys()].filter((name) => name.startsWith('postReport'))).toHaveLength(2);
    expect([...series.keys()].filter((name) => name.startsWith('postMeasurements'))).toHaveLength(2);
    for (const [name, messages] of series) {
      const numbers = messages.map(({ sequence }) => sequence);
      expect([name, numbers]).toEqual([name, numbers.map((_, index) => index + 1)]);
    }
  });

  // MCO-O-020
  it('starts without the orchestrator and runs what it had to run before', async () => {
    server.assign([assignmentOf()]);
    await agent.start();
    await eventually('it runs', () => running().length === 1);
    await agent.stop();
    await server.disappear();
    agent.world.host(HOST_ID).workloads.clear();
    await agent.start();
    await eventually('it runs again', () => running().length === 1);
    await server.appear();
    await eventually('that is reported', () => reportedState('fn-1') === 'RUNNING');
  });

  // MCO-O-037 MCO-O-049
  it('lets functions run through a long absence, and tells first how things are when it ends', async () => {
    server.assign([assignmentOf()]);
    await agent.start();
    await eventually('it is reported', () => reportedState('fn-1') === 'RUNNING');
    const before = running();
    await server.disappear();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(running()).toEqual(before);
    const callsBefore = server.calls.length;
    server.assign([assignmentOf(), assignmentOf({ name: 'fn-2' })]);
    await server.appear();
    await eventually('the new one runs', () => reportedState('fn-2') === 'RUNNING');
    expect(running().slice(0, 1)).toEqual(before);
    const since = server.calls.slice(callsBefore);
    expect(since.indexOf('postReport')).toBeLessThan(since.indexOf('getWanted'));
  });

  it('stops its functions when it is told to, but not for ever', async () => {
    server.assign([assignmentOf()]);
    await agent.start({ mustStopFunctions: true });
    await eventually('it runs', () => running().length === 1);
    await agent.stop();
    expect(running()).toEqual([]);
    await agent.start();
    await eventually('it runs again', () => running().length === 1);
  });

  it('refuses assignments that a newer version has stored, and leaves them and the functions alone', async () => {
    server.assign([assignmentOf()]);
    await agent.start();
    await eventually('it runs', () => running().length === 1);
    await agent.stop();
    const before = running();
    const path = join(agent.directory, 'assignments.json');
    writeFileSync(path, JSON.stringify({ schemaVersion: 3 }));
    await expect(agent.start()).rejects.toMatchObject({ code: 'store-newer' });
    expect(running()).toEqual(before);
    expect(readFileSync(path, 'utf8')).toBe('{"schemaVersion":3}');
  });
});

describe('an agent that guards what it runs', () => {
  // MCO-C-052
  it('changes nothing when the state of the orchestrator is another one, until an operator has confirmed it', async () => {
    server.assign([assignmentOf()]);
    await agent.start();
    await eventually('it runs', () => reportedState('fn-1') === 'RUNNING');
    const before = running();
    server.stateId = 'state-2';
    server.isStateConfirmed = false;
    server.leaseNumber = 0;
    server.forgetSessions();
    server.assign([]);
    await eventually(
      'a new session is open',
      () => server.calls.filter((call) => call === 'openSession').length > 1,
    );
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(running()).toEqual(before);
    server.isStateConfirmed = true;
    server.assign([assignmentOf({ name: 'new' })]);
    await eventually(
      'it follows the new state',
      () => reportedState('new') === 'RUNNING' && running().length === 1,
    );
    expect(JSON.parse(readFileSync(join(agent.directory, 'identity.json'), 'utf8'))).toMatchObject({
      stateId: 'state-2',
    });
  });

  // MCO-O-022
  it('refuses what a deposed leader wants', async () => {
    server.leaseNumber = 5;
    server.assign([assignmentOf()]);
    await agent.start();
    await eventually('it runs', () => running().length === 1);
    const renewed = agent.world.host(HOST_ID);
    server.leaseNumber = 4;
    server.assign([]);
    await new Promise((resolve) => setTimeout(resolve, 800));
    const renewedAt = renewed.renewedAt;
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(running()).toHaveLength(1);
    expect(renewed.renewedAt).toBe(renewedAt);
    server.leaseNumber = 6;
    server.assign([assignmentOf(), assignmentOf({ name: 'fn-2' })]);
    await eventually('the new leader is obeyed', () => running().length === 2);
  });

  // MCO-O-046
  it('counts the lease of the drivers from when an answered renewal was sent', async () => {
    const ages: number[] = [];
    await agent.start({
      openDrivers: async () => {
        const driver = createFakeDriver({ world: agent.world, hostId: HOST_ID });
        const renewed = async (sentAt = systemClock.monotonic()): Promise<void> => {
          ages.push(systemClock.monotonic() - sentAt);
          await driver.renewed(sentAt);
        };
        return [overridden(driver, { renewed })];
      },
    });
    await eventually('two polls waited and were answered', () => ages.length >= 4);
    // The double answers after half a second that nothing has changed.
    expect(ages.filter((age) => age >= 400).length).toBeGreaterThan(1);
  });

  it('renews at once after news where something stops without the lease, so that what it starts has the whole of it', async () => {
    const ages: number[] = [];
    await agent.start({
      openDrivers: async () => {
        const driver = createFakeDriver({ world: agent.world, hostId: HOST_ID });
        const renewed = async (sentAt = systemClock.monotonic()): Promise<void> => {
          ages.push(systemClock.monotonic() - sentAt);
          await driver.renewed(sentAt);
        };
        return [overridden(driver, { renewed })];
      },
    });
    await eventually('a poll waited', () => ages.some((age) => age >= 400));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = ages.length;
    server.assign([assignmentOf({ spec: { stopAfterSeconds: 60 } })]);
    await eventually('two more were answered', () => ages.length >= before + 2);
    expect(ages[before]).toBeGreaterThan(200);
    expect(ages[before + 1]).toBeLessThan(200);
  });

  // MCO-O-046
  it('does not renew the lease of the drivers for what was never answered', async () => {
    await agent.start();
    const calls = (): number => server.calls.filter((call) => call === 'getWanted').length;
    await eventually('it is heard', () => calls() > 2);
    server.misfortune = (operationId) => (operationId === 'getWanted' ? 'hang' : undefined);
    const seen = calls();
    await eventually('a renewal is under way and not answered', () => calls() > seen);
    const { renewedAt } = agent.world.host(HOST_ID);
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(agent.world.host(HOST_ID).renewedAt).toBe(renewedAt);
  });

  // MCO-O-027
  it('names what no driver here can run', async () => {
    server.assign([assignmentOf({ spec: { artifact: { type: 'container', image: 'x' } } })]);
    await agent.start({
      openDrivers: async () => {
        const driver = createFakeDriver({ world: agent.world, hostId: HOST_ID });
        const capabilities = async (): Promise<DriverCapabilities> => ({
          ...(await driver.capabilities()),
          artifactTypes: ['process'],
        });
        return [overridden(driver, { capabilities })];
      },
    });
    await eventually('it is reported', () => server.observed().size === 1);
    expect([...server.observed().values()][0]?.problem).toContain(
      'no driver on this host runs artifacts of type "container"',
    );
  });

  it('keeps going when drivers fail, and says why', async () => {
    await agent.start();
    agent.driver().failures.refuse = { code: 'artifact-unusable', times: 1000 };
    server.assign([assignmentOf()]);
    const id = workloadId(assignmentOf().workload.key as never);
    await eventually('the problem is reported', () => server.observed().get(id)?.problem !== undefined);
    await eventually('an alarm is raised', () =>
      server.alarms.some(({ name }) => name === 'workload-refused'),
    );
    agent.driver().failures.refuse = undefined;
    server.assign([assignmentOf({ name: 'fn-2' })]);
    await eventually('the rest works', () => reportedState('fn-2') === 'RUNNING');
    await eventually('the alarm is cleared', () => server.alarms.at(-1)?.severity === 'CLEARED');
  });
});
