import { deepEqual } from 'node:assert/strict';
import { afterAll, expect, it } from 'vitest';
import { createAgentRunner, eventually, HOST_ID } from './testkit/agent-runner.ts';
import { assignmentOf } from './testkit/assignment.ts';
import { startMcoDouble } from './testkit/mco-double.ts';
import { mountSmallDisk } from './testkit/small-disk.ts';

const disk = mountSmallDisk(2);
afterAll(() => disk?.remove());

it.skipIf(disk === undefined)(
  'an agent whose disk is full runs on what it has, takes nothing over, loses no measurement, and goes on when there is room',
  async () => {
    const server = await startMcoDouble();
    const agent = createAgentRunner(server.url, disk?.path);
    const running = (): number => agent.world.host(HOST_ID).workloads.size;
    const job = { jobId: 'host', source: 'host' as const, everySeconds: 0.1 };
    const isMeasured = (since: string): boolean =>
      server.measurements.some(({ timestamp }) => timestamp > since);
    try {
      server.assign([assignmentOf()], [job]);
      await agent.start();
      await eventually('it runs', () => running() === 1);
      disk?.fill();
      const fullSince = new Date().toISOString();
      const { renewedAt } = agent.world.host(HOST_ID);
      const asked = server.calls.length;
      server.assign([assignmentOf(), assignmentOf({ name: 'fn-2' })], [job]);
      await eventually('it measures on', () => isMeasured(fullSince));
      await eventually('its lease is renewed', () => agent.world.host(HOST_ID).renewedAt !== renewedAt);
      await eventually(
        'it was told more than once what is wanted',
        () => server.calls.slice(asked).filter((call) => call === 'getWanted').length > 2,
      );
      expect(running()).toBe(1);
      disk?.makeRoom();
      await eventually('it takes over what is wanted', () => running() === 2);
      expect(server.dropped).toBe(0);
      deepEqual(server.faults, []);
    } finally {
      await agent.cleanUp();
      await server.disappear();
    }
  },
);
