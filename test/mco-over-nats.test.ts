/** Mco over real servers of NATS: the orchestrator's listener and the agent's transport, against each other. */
import { readFileSync, readdirSync } from 'node:fs';
import { createHash, sign } from 'node:crypto';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { decode } from '@nats-io/jwt';
import { connect, headers, jwtAuthenticator, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYSTEM_TENANT, ed25519KeyOfSeed, nkeyName } from '../kernel/index.ts';
import { orchestratorUser } from '../orchestrator/mco/nats/claims.ts';
import type { HostFactsMessage, WantedMessage } from '../orchestrator/mco/messages.ts';
import { DIGEST, assign, assignmentOf, keyOf, unassign } from '../orchestrator/mco/testkit/assignments.ts';
import {
  CONTENT,
  SP_ID,
  createNatsBench,
  eventually,
  type NatsAgent,
  type NatsBench,
  type NatsOrchestrator,
} from './kit/nats-bench.ts';
import { isServiceMissing } from './kit/services.ts';

let bench: NatsBench;
let orchestrator: NatsOrchestrator;

const FACTS: HostFactsMessage = {
  architecture: 'x64',
  tier: 'device-edge',
  labels: {},
  drivers: [{ name: 'process', artifactTypes: ['process'] }],
  cpu: { cores: 4, score: 1, allocatableMillis: 4000 },
  memory: { totalBytes: 4e9, allocatableBytes: 3e9 },
  storage: { totalBytes: 3e10, allocatableBytes: 2e10, medium: 'ssd' },
  address: '127.0.0.1',
  devices: [],
  latencies: [],
  cses: [],
  agentVersion: 'test/1',
};

/** An agent that is enrolled and has a session. */
async function enrolled(hostId: string): Promise<NatsAgent> {
  const agent = await bench.agent(hostId, await bench.credential(orchestrator, hostId));
  await eventually(() => agent.sessions.envelope());
  return agent;
}

/** The JWT that a host has. */
function jwtOf(agent: NatsAgent): string {
  return readFileSync(join(bench.folder, agent.hostId, 'nats-user.jwt'), 'utf8');
}

/** A connection with the key and the JWT of a host, for what its agent would never do. */
async function connectAs(agent: NatsAgent): Promise<NatsConnection> {
  const jwt = jwtOf(agent);
  return connect({
    servers: [...bench.servers.urls],
    reconnect: false,
    authenticator: (nonce) => ({
      jwt,
      sig: sign(null, Buffer.from(nonce ?? ''), agent.identity.privateKey).toString('base64url'),
    }),
  });
}

/** A connection with the rights of the orchestrator. */
async function connectAsOrchestrator(): Promise<NatsConnection> {
  const { jwt, seed } = await orchestratorUser(bench.keys);
  const inboxPrefix = '_INBOX.orchestrator';
  return connect({
    servers: [...bench.servers.urls],
    authenticator: jwtAuthenticator(jwt, seed),
    inboxPrefix,
  });
}

/** What the server says of the next thing that it does not allow. */
async function violationOf(connection: NatsConnection, act: () => void): Promise<string> {
  const told = (async () => {
    for await (const status of connection.status()) if (status.type === 'error') return status.error.message;
    return 'nothing';
  })();
  act();
  return Promise.race([told, sleep(3000, 'it is allowed')]);
}

function point(value: number): { metric: string; unit: string; timestamp: string; value: number } {
  return { metric: 'm', unit: '1', timestamp: new Date(Date.now() + value).toISOString(), value };
}

describe.skipIf(isServiceMissing('nats-server'))('Mco over NATS', () => {
  beforeAll(async () => {
    bench = await createNatsBench();
    orchestrator = bench.startOrchestrator();
  }, 60_000);

  afterAll(() => bench.close(), 30_000);

  describe('a host over NATS', () => {
    // MCO-C-070
    it('enrols, tells its facts, is told what to run, reports, gets files, and leaves', async () => {
      const agent = await enrolled('gw-1');
      const { client } = agent;
      expect(await client.putFacts(FACTS, 1)).toEqual({ nextSequence: 2, ignored: 0 });
      const whole = await client.wanted({ waitSeconds: 0 });
      expect(whole.wanted).toMatchObject({ full: true, assignments: [] });
      await assign(bench.store, agent.hostId, keyOf(1));
      const news = await client.wanted({ since: whole.revision, waitSeconds: 5 });
      expect(news.wanted?.assignments).toHaveLength(1);
      expect(await client.postReport({ full: true, workloads: [], removed: [] }, 1)).toMatchObject({
        nextSequence: 2,
      });
      const envelope = await agent.sessions.envelope();
      const file = await agent.transport.stream({
        method: 'GET',
        path: `/mco/v1/hosts/gw-1/artifacts/${DIGEST}`,
        headers: {
          'mco-version': '1.0',
          'mco-boot-id': envelope.bootId,
          'mco-sp-id': envelope.m2mSpId ?? '',
          authorization: `Bearer ${envelope.token ?? ''}`,
        },
        timeoutMilliseconds: 5000,
      });
      expect((await buffer(file.body)).equals(CONTENT)).toBe(true);
      expect(await client.leave()).toBe(1);
      await unassign(bench.store, agent.hostId, keyOf(1));
      expect(await client.leave()).toBe(0);
      expect(bench.store.get('host', 'gw-1')).toBeUndefined();
    });

    // MCO-C-072
    it('is the user of NATS whose key it has enrolled', async () => {
      const agent = await enrolled('gw-key');
      const { sub, nats } = decode<{ pub: { allow: string[] } }>(jwtOf(agent));
      expect(sub).toBe(nkeyName(agent.identity.publicJwk.x));
      expect(nats.pub?.allow.every((subject) => subject.startsWith('mco.v1.gw-key.'))).toBe(true);
      const files = readdirSync(join(bench.folder, 'gw-key'));
      expect(new Set(files)).toEqual(new Set(['host.key', 'sealing.key', 'identity.json', 'nats-user.jwt']));
    });

    // MCO-C-071
    it('can neither publish nor subscribe below the subjects of another host, nor reach the streams', async () => {
      const connection = await connectAs(await enrolled('gw-2'));
      const forbidden = [
        'mco.v1.gw-3.report',
        'mco.v1.gw-2.enrol',
        'mco.v1.gw-2.wanted.changed',
        'mco.v1.gw-2.receipts',
        '_INBOX.mco.gw-3.x',
        '$JS.API.STREAM.PURGE.MCO_MEASUREMENTS',
      ];
      for (const subject of forbidden)
        expect(await violationOf(connection, () => connection.publish(subject))).toContain(
          `Permissions Violation for Publish to "${subject}"`,
        );
      for (const subject of [
        'mco.v1.gw-3.wanted.changed',
        'mco.v1.>',
        'mco.v1.*.receipts',
        '_INBOX.mco.gw-3.>',
        '_INBOX.>',
      ])
        expect(
          await violationOf(connection, () => void connection.subscribe(subject, { callback: () => {} })),
        ).toContain(`Permissions Violation for Subscription to "${subject}"`);
      await connection.close();
    });

    // MCO-C-076
    it('cannot have the answers to its requests sent to another host', async () => {
      const other = await connectAs(await enrolled('gw-5'));
      const own = await connectAs(await enrolled('gw-4'));
      const received: string[] = [];
      other.subscribe('mco.v1.gw-5.wanted.changed', {
        callback: (_, message) => void received.push(message.string()),
      });
      await other.flush();
      const carried = headers();
      for (const [name, value] of [
        ['Mco-Version', '1.0'],
        ['Mco-Sp-Id', SP_ID],
        ['Mco-Boot-Id', 'boot-of-gw-4'],
      ] as const)
        carried.set(name, value);
      own.publish('mco.v1.gw-4.challenge', '', { reply: 'mco.v1.gw-5.wanted.changed', headers: carried });
      // Answered in order by one listener: when this is there, the other one would be.
      const answer = Promise.withResolvers<string>();
      own.subscribe('_INBOX.mco.gw-4.mine', {
        callback: (_, message) => answer.resolve(message.headers?.get('Mco-Status') ?? ''),
      });
      own.publish('mco.v1.gw-4.challenge', '', { reply: '_INBOX.mco.gw-4.mine', headers: carried });
      expect(await answer.promise).toBe('201');
      await other.flush();
      expect(received).toEqual([]);
      await Promise.all([own.close(), other.close()]);
    });

    it('is refused with a problem that names place and remedy for what is no message of Mco', async () => {
      const agent = await enrolled('gw-bad');
      const post = (body: string, more: Record<string, string> = {}) =>
        agent.transport.send({
          method: 'POST',
          path: '/mco/v1/hosts/gw-bad/sessions',
          headers: { 'mco-version': '1.0', 'mco-sp-id': SP_ID, 'mco-boot-id': agent.bootId, ...more },
          body: Buffer.from(body),
          timeoutMilliseconds: 5000,
        });
      for (const [body, more] of [
        ['', {}],
        ['{', {}],
        ['{}', {}],
        ['\u0000', {}],
        ['{"proof":1}', {}],
        ['x', { 'content-encoding': 'gzip' }],
        ['{}', { 'mco-version': '2.0' }],
        ['{}', { 'mco-version': '' }],
      ] as const) {
        const answer = await post(body, more);
        expect(answer.status).toBeGreaterThanOrEqual(400);
        expect(answer.status).toBeLessThan(500);
        expect(JSON.parse(answer.body.toString()) as object).toMatchObject({ status: answer.status });
      }
    });

    it('that enrols hears nothing of what the host with its name is told', async () => {
      const agent = await enrolled('gw-heard');
      const [token = '', jwt = ''] = (await bench.credential(orchestrator, 'gw-heard')).split('~');
      const seed = createHash('sha256').update(`mco-enrolment:${token}`).digest();
      const key = ed25519KeyOfSeed(seed);
      const listening = await connect({
        servers: [...bench.servers.urls],
        authenticator: (nonce) => ({
          jwt,
          sig: sign(null, Buffer.from(nonce ?? ''), key).toString('base64url'),
        }),
      });
      for (const subject of [
        '_INBOX.mco.gw-heard.>',
        '_INBOX.mco.gw-heard.*.*',
        'mco.v1.gw-heard.wanted.changed',
      ])
        expect(
          await violationOf(listening, () => void listening.subscribe(subject, { callback: () => {} })),
        ).toContain('Permissions Violation');
      expect(await violationOf(listening, () => listening.publish('mco.v1.gw-heard.session'))).toContain(
        'Permissions Violation',
      );
      await listening.close();
      expect((await agent.client.wanted({ waitSeconds: 0 })).wanted).toMatchObject({ full: true });
    });

    it('enrols as itself only, and with a credential for NATS only', async () => {
      const credential = await bench.credential(orchestrator, 'gw-7');
      const stranger = await bench.agent('gw-8', credential);
      await expect(stranger.sessions.enrol()).rejects.toThrow(/gw-8/);
      const plain = await bench.agent('gw-9', credential.split('~')[0]);
      await expect(plain.sessions.enrol()).rejects.toThrow('iotmano token enrol --nats');
    });
  });

  describe('a revocation', () => {
    // MCO-C-073 MCO-C-078
    it('ends the connection of a host at once, also after a restart of the server, until its key is enrolled again', async () => {
      const agent = await enrolled('gw-revoked');
      const connection = await connectAs(agent);
      const other = await connectAs(await enrolled('gw-stays'));
      const record = bench.store.get('host', 'gw-revoked');
      if (record === undefined) throw new Error('the host is not there');
      orchestrator.inventory.forget(record);
      const end = await connection.closed();
      expect(String(end)).toMatch(/revoked|authorization/i);
      expect(other.isClosed()).toBe(false);
      await other.close();
      await expect(connectAs(agent)).rejects.toThrow(/authorization/i);
      await bench.servers.kill(0);
      await bench.servers.start(0);
      await expect(connectAs(agent)).rejects.toThrow(/authorization/i);
      // It says what it needs, as over HTTP.
      await eventually(() =>
        expect(agent.client.wanted({ waitSeconds: 0 })).rejects.toMatchObject({
          context: { mustEnrol: true },
        }),
      );
      const again = await bench.agent(
        'gw-revoked',
        await eventually(() => bench.credential(orchestrator, 'gw-revoked')),
      );
      await eventually(() => again.sessions.envelope());
      expect((await again.client.wanted({ waitSeconds: 0 })).wanted).toMatchObject({ full: true });
    });
  });

  describe('wanted states over NATS', () => {
    it('come by themselves, each on top of the one before', async () => {
      const agent = await enrolled('gw-push');
      let { revision = 0 } = await agent.client.wanted({ waitSeconds: 0 });
      for (let number = 1; number <= 5; number += 1) {
        const asked = agent.client.wanted({ since: revision, waitSeconds: 10 });
        await assign(bench.store, agent.hostId, keyOf(number));
        const { wanted } = await asked;
        expect(wanted).toMatchObject({ full: false });
        expect(wanted?.assignments.map(({ workload }) => workload.key)).toEqual([keyOf(number)]);
        revision = wanted?.revision ?? 0;
      }
    });

    // MCO-C-075
    it('name the revision that they build on, and an agent that has another one asks', async () => {
      const agent = await enrolled('gw-other');
      const { revision = 0 } = await agent.client.wanted({ waitSeconds: 0 });
      const seen = await connectAs(agent);
      const pushed = Promise.withResolvers<{ since: string; boot: string }>();
      seen.subscribe('mco.v1.gw-other.wanted.changed', {
        callback: (_, { headers: carried }) =>
          pushed.resolve({ since: carried?.get('Mco-Since') ?? '', boot: carried?.get('Mco-Boot-Id') ?? '' }),
      });
      await seen.flush();
      await assign(bench.store, agent.hostId, keyOf(1));
      expect(await pushed.promise).toEqual({ since: String(revision), boot: agent.bootId });
      await seen.close();
      const told = await agent.client.wanted({ since: revision, waitSeconds: 0 });
      expect(told.wanted?.assignments).toHaveLength(1);
      const asked = agent.client.wanted({ since: told.revision, waitSeconds: 10 });
      await sleep(200);
      const forged = await connectAsOrchestrator();
      const carried = headers();
      for (const [name, value] of [
        ['Mco-Boot-Id', agent.bootId],
        ['Mco-Since', '0'],
        ['Mco-Revision', '999999'],
      ] as const)
        carried.set(name, value);
      forged.publish('mco.v1.gw-other.wanted.changed', '{"assignments":[]}', { headers: carried });
      // What it gets is the answer to its question, not what was pushed.
      expect(await asked).toEqual({ revision: expect.any(Number) as number });
      await forged.close();
    });

    // MCO-O-080
    it('hold what is secret sealed to the key of the host, as answers do', async () => {
      const agent = await enrolled('gw-sealed');
      await agent.client.wanted({ waitSeconds: 0 });
      const seen = await connectAs(agent);
      const pushed: string[] = [];
      seen.subscribe('mco.v1.gw-sealed.wanted.changed', {
        callback: (_, message) => void pushed.push(Buffer.from(message.data).toString()),
      });
      await seen.flush();
      await assign(bench.store, agent.hostId, keyOf(1));
      const first = await eventually(() => {
        const [body = ''] = pushed;
        return body === '' ? Promise.reject(new Error('nothing was pushed')) : Promise.resolve(body);
      });
      const { assignments } = JSON.parse(first) as WantedMessage;
      expect(assignments).toMatchObject([
        { sealed: expect.any(String) as string, workload: { bindings: { config: {} } } },
      ]);
      await seen.close();
    });

    // MCO-C-077
    it('may be larger than a message of NATS', async () => {
      const agent = await enrolled('gw-large');
      const { revision = 0 } = await agent.client.wanted({ waitSeconds: 0 });
      const asked = agent.client.wanted({ since: revision, waitSeconds: 20 });
      await sleep(200);
      const many = Array.from({ length: 2500 }, (_, index) => assignmentOf(agent.hostId, keyOf(index)));
      await bench.store.commit(many).durable;
      const { wanted } = await asked;
      expect(JSON.stringify(wanted).length).toBeGreaterThan(2 * 1024 * 1024);
      expect(wanted?.assignments).toHaveLength(2500);
      expect((await agent.client.wanted({ waitSeconds: 0 })).wanted?.assignments).toHaveLength(2500);
    });
  });

  describe('measurements over NATS', () => {
    // MCO-M-020
    it('are in the stream with a message id of host, boot, operation and number, and without a token', async () => {
      const agent = await enrolled('gw-m1');
      await agent.client.postMeasurements({ points: [point(1)], dropped: 0 }, 1);
      const connection = await connectAsOrchestrator();
      const manager = await jetstreamManager(connection);
      const stored = await manager.streams.getMessage('MCO_MEASUREMENTS', {
        last_by_subj: 'mco.v1.gw-m1.measurements',
      });
      expect(stored?.header.get('Nats-Msg-Id')).toBe(`gw-m1/${agent.bootId}/measurements/1`);
      expect(stored?.header.get('Authorization')).toBe('');
      await connection.close();
    });

    it('are applied once however often they come, also when what they say has come in another order', async () => {
      const agent = await enrolled('gw-m2');
      const before = orchestrator.monitoring.statistics().points;
      const batches = [1, 2, 3].map((value) => ({ points: [point(value)], dropped: 0 }));
      for (const [index, batch] of batches.entries()) await agent.client.postMeasurements(batch, index + 1);
      const again = batches.map((batch, index) => agent.client.postMeasurements(batch, index + 1));
      expect(await Promise.all(again)).toEqual(
        [2, 3, 4].map((nextSequence) => ({ nextSequence, ignored: 0 })),
      );
      const late = await connectAs(agent);
      const carried = headers();
      for (const [name, value] of [
        ['Mco-Version', '1.0'],
        ['Mco-Sp-Id', SP_ID],
        ['Mco-Boot-Id', agent.bootId],
        ['Mco-Sequence', '2'],
      ] as const)
        carried.set(name, value);
      late.publish('mco.v1.gw-m2.measurements', JSON.stringify({ points: [point(99)], dropped: 0 }), {
        headers: carried,
      });
      await late.flush();
      await late.close();
      await agent.client.postMeasurements({ points: [point(4)], dropped: 0 }, 4);
      expect(orchestrator.monitoring.statistics().points).toBe(before + 4);
    });

    it('that cannot be read are receipted, so that they do not come for ever', async () => {
      const agent = await enrolled('gw-m3');
      const bad = [{ ...point(1), value: 'much' as unknown as number }];
      expect(await agent.client.postMeasurements({ points: bad, dropped: 0 }, 1)).toMatchObject({
        nextSequence: 2,
      });
      expect(await agent.client.postMeasurements({ points: [point(1)], dropped: 0 }, 2)).toMatchObject({
        nextSequence: 3,
      });
    });

    // MCO-M-021 MCO-M-023
    it("are the agent's until the orchestrator has taken them over, and come to the next one with what is recent", async () => {
      const agent = await enrolled('gw-m4');
      await agent.client.postMeasurements({ points: [point(1)], dropped: 0 }, 1);
      await orchestrator.stop();
      let isTaken = false;
      const taken = eventually(
        () => agent.client.postMeasurements({ points: [point(2)], dropped: 0 }, 2),
        40_000,
      ).then((receipt) => {
        isTaken = true;
        return receipt;
      });
      // The servers have it by now, which is not what counts.
      const connection = await connectAsOrchestrator();
      const manager = await jetstreamManager(connection);
      await eventually(async () => {
        const stored = await manager.streams.getMessage('MCO_MEASUREMENTS', {
          last_by_subj: 'mco.v1.gw-m4.measurements',
        });
        expect(stored?.header.get('Mco-Sequence')).toBe('2');
      });
      await connection.close();
      await sleep(300);
      expect(isTaken).toBe(false);
      orchestrator = bench.startOrchestrator();
      expect(await taken).toEqual({ nextSequence: 3, ignored: 0 });
      const series = orchestrator.monitoring.queryMeasurements(SYSTEM_TENANT, {
        hostId: agent.hostId,
        metric: 'm',
        from: 0,
        to: Date.now() + 60_000,
        isLatestOnly: false,
      });
      expect(JSON.stringify(series).match(/"value":/g)).toHaveLength(2);
      // The session is good at the next one, too.
      expect(await eventually(() => agent.client.wanted({ waitSeconds: 0 }))).toMatchObject({
        wanted: { full: true },
      });
    });

    // MCO-M-024
    it('whose receipt was lost are receipted with the next heartbeat', async () => {
      const agent = await enrolled('gw-m5');
      const raw = await connectAs(agent);
      const carried = headers();
      for (const [name, value] of [
        ['Mco-Version', '1.0'],
        ['Mco-Sp-Id', SP_ID],
        ['Mco-Boot-Id', agent.bootId],
        ['Mco-Sequence', '1'],
        ['Nats-Msg-Id', `gw-m5/${agent.bootId}/measurements/1`],
      ] as const)
        carried.set(name, value);
      // As an agent that loses its connection in between: the receipt goes to nobody who waits.
      const receipt = Promise.withResolvers<void>();
      raw.subscribe('mco.v1.gw-m5.receipts', { callback: () => receipt.resolve() });
      raw.publish('mco.v1.gw-m5.measurements', JSON.stringify({ points: [point(1)], dropped: 0 }), {
        headers: carried,
      });
      await receipt.promise;
      await raw.close();
      const late = await bench.agent('gw-m5');
      const asleep = late.client.wanted.bind(late.client);
      const first = await asleep({ waitSeconds: 0 });
      expect(first.wanted).toMatchObject({ full: true });
      await agent.client.wanted({ waitSeconds: 0 });
      expect(await agent.client.postMeasurements({ points: [point(1)], dropped: 0 }, 1)).toEqual({
        nextSequence: 2,
        ignored: 0,
      });
    });
  });
});
