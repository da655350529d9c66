import { deepEqual } from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { assignmentOf } from './testkit/assignment.ts';
import { createAgentRunner, eventually, HOST_ID, type AgentRunner } from './testkit/agent-runner.ts';
import { startMcoDouble, type McoDouble } from './testkit/mco-double.ts';

const SECRET = 's3cret-of-a-test';
let server: McoDouble;
let agent: AgentRunner;

beforeEach(async () => {
  server = await startMcoDouble();
  agent = createAgentRunner(server.url);
});

afterEach(async () => {
  await agent.cleanUp();
  await server.disappear();
  deepEqual(server.faults, []);
});

function assignSecret(password = SECRET): void {
  const { lostAfterSeconds, workload } = assignmentOf();
  const broker = {
    capability: 'message-broker',
    protocol: 'nats',
    endpoints: [],
    credential: { id: 'key-1', seed: `${password}-seed` },
  };
  const bindings = { config: { password }, requires: { broker }, clients: [] };
  server.assign([{ lostAfterSeconds, workload: { ...workload, bindings } }]);
}

/** What the function has been told, as far as the driver knows. */
function told(): unknown[] {
  return [...agent.world.host(HOST_ID).workloads.values()].map(({ bindings }) => [
    bindings.config['password'],
    bindings.requires['broker']?.credential?.seed,
  ]);
}

function onDisk(): string {
  return readdirSync(agent.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1'))
    .join('\n');
}

// MCO-O-080
it('keeps secrets as ciphertext on disk, and has them again after a restart without the orchestrator', async () => {
  assignSecret();
  await agent.start();
  await eventually('the function is told', () => told().length === 1);
  expect(told()).toEqual([[SECRET, `${SECRET}-seed`]]);
  expect(onDisk()).not.toContain(SECRET);
  await agent.stop();
  await server.disappear();
  agent.world.host(HOST_ID).workloads.clear();
  await agent.start();
  await eventually('the function is told again', () => told().length === 1);
  expect(told()).toEqual([[SECRET, `${SECRET}-seed`]]);
  await server.appear();
});

it('tells the function a new value of a secret', async () => {
  assignSecret();
  await agent.start();
  await eventually('the function is told', () => told().length === 1);
  assignSecret('s3cret-of-tomorrow');
  await eventually('of the new value', () => JSON.stringify(told()).includes('tomorrow'));
  expect(onDisk()).not.toMatch(/s3cret/);
});

// MCO-O-087 MCO-O-088
it('changes nothing where it cannot open what is stored, and asks for the whole anew', async () => {
  assignSecret();
  await agent.start();
  await eventually('the function is told', () => told().length === 1);
  await agent.stop();
  await server.disappear();
  rmSync(join(agent.directory, 'sealing.key'));
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line) => void lines.push(line) });
  await agent.start({ log });
  expect(told()).toHaveLength(1);
  expect(lines.join('')).toContain('cannot be used before the orchestrator is heard');
  expect(lines.join('')).not.toContain(SECRET);
  const asked = server.wantedSince.length;
  await server.appear();
  await eventually('it has asked', () => server.wantedSince.length > asked);
  expect(server.wantedSince[asked]).toBeUndefined();
  assignSecret('s3cret-of-tomorrow');
  await eventually('it follows again', () => JSON.stringify(told()).includes('tomorrow'));
});

it('seals everything to a new key when told to, and lets go of the old one then', async () => {
  assignSecret();
  await agent.start();
  await eventually('the function is told', () => told().length === 1);
  await agent.stop();
  const before = readFileSync(join(agent.directory, 'sealing.key'), 'utf8');
  await agent.start({ mustRotateSealingKey: true });
  await eventually(
    'the old key is gone',
    () => !readdirSync(agent.directory).includes('sealing.key.previous'),
  );
  expect(readFileSync(join(agent.directory, 'sealing.key'), 'utf8')).not.toBe(before);
  await agent.stop();
  await server.disappear();
  agent.world.host(HOST_ID).workloads.clear();
  await agent.start();
  await eventually('the function is told', () => told().length === 1);
  await server.appear();
});

it('has what an earlier version stored in the clear sealed as soon as the orchestrator is heard', async () => {
  assignSecret();
  await agent.start();
  await eventually('the function is told', () => told().length === 1);
  await agent.stop();
  const path = join(agent.directory, 'assignments.json');
  const { assignments, ...rest } = JSON.parse(readFileSync(path, 'utf8')) as {
    assignments: { sealed?: string; workload: { bindings: { config: object } } }[];
  };
  for (const each of assignments) {
    delete each.sealed;
    each.workload.bindings.config = { password: SECRET };
  }
  writeFileSync(path, JSON.stringify({ ...rest, assignments, schemaVersion: 1 }));
  await agent.start();
  await eventually('nothing is in the clear any more', () => !onDisk().includes(SECRET));
});
