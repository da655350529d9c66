import { deepEqual } from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseId, silentLogger, systemClock, type Clock, type HostId } from '../../kernel/index.ts';
import type { ArtifactSource } from '../../vim-drivers/index.ts';
import { openIdentity } from '../identity/index.ts';
import { digestOf, startMcoDouble, type McoDouble } from '../testkit/mco-double.ts';
import { createBackoff, createSessionKeeper, createTransport, openArtifactCache } from './index.ts';

const content = randomBytes(300_000);
const reference = { digest: digestOf(content), sizeBytes: content.length };
let directory: string;
let server: McoDouble;
let closeTransport: () => void;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'artifacts-'));
  server = await startMcoDouble();
  server.artifacts.set(reference.digest, content);
});

afterEach(async () => {
  closeTransport();
  await server.disappear();
  rmSync(directory, { recursive: true, force: true });
  // Every request was as the Mco document says.
  deepEqual(server.faults, []);
});

async function cache(maxBytes = 10_000_000, clock: Clock = systemClock): Promise<ArtifactSource> {
  const hostId = parseId<HostId>('gw-1', 'hostId');
  const transport = createTransport({ serverUrl: server.url });
  closeTransport = () => transport.close();
  const sessions = createSessionKeeper({
    transport,
    identity: await openIdentity(directory, hostId),
    bootId: 'boot-0001',
    clock: systemClock,
    log: silentLogger,
    agentVersion: 'iotmano/test',
    enrolmentToken: 'one-time-token-0001',
  });
  return openArtifactCache({
    directory: join(directory, 'artifacts'),
    maxBytes,
    hostId,
    transport,
    sessions,
    clock,
    createBackoff: () => createBackoff({ ...systemClock, sleep: () => Promise.resolve() }, () => 0),
    log: silentLogger,
  });
}

const downloads = (): number => server.calls.filter((call) => call === 'retrieveArtifact').length;

describe('artifacts', () => {
  // MCO-O-063
  it('are got once, verified, and kept read-only', async () => {
    const source = await cache();
    const [path] = await Promise.all([source.open(reference), source.open(reference)]);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o400);
    await source.open(reference);
    expect(downloads()).toBe(1);
  });

  // MCO-O-065
  it('are fetched no faster than their reference allows', async () => {
    let passed = 0;
    const clock: Clock = {
      ...systemClock,
      monotonic: () => passed,
      sleep: (milliseconds) => {
        passed += milliseconds;
        return Promise.resolve();
      },
    };
    const source = await cache(undefined, clock);
    const path = await source.open({ ...reference, bitsPerSecond: 256_000 });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(passed).toBeCloseTo((content.length * 8) / 256, 3);
    await source.open(reference);
    expect(downloads()).toBe(1);
  });

  // MCO-O-062
  it('are resumed where the transfer was cut off', async () => {
    server.misfortune = (operationId, count) => {
      if (operationId !== 'retrieveArtifact' || count > 1) return undefined;
      return {
        status: 200,
        body: content.subarray(0, 100_000),
        headers: { 'content-length': String(content.length), connection: 'close' },
        takesEffect: true,
      };
    };
    const source = await cache();
    const path = await Promise.race([source.open(reference), cutLater()]);
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(downloads()).toBeGreaterThan(1);
  });

  /** The half answer above never ends by itself: its connections are cut from outside. */
  async function cutLater(): Promise<never> {
    await new Promise((resolve) => setTimeout(resolve, 300));
    await server.disappear();
    await server.appear();
    return new Promise(() => {});
  }

  it('go on from what an earlier run has left, and begin anew where that was wrong', async () => {
    const source = await cache();
    const part = join(directory, 'artifacts', `${reference.digest.slice(7)}.part`);
    writeFileSync(part, content.subarray(0, 200_000));
    expect(readFileSync(await source.open(reference)).equals(content)).toBe(true);
    const other = randomBytes(1000);
    const otherReference = { digest: digestOf(other), sizeBytes: other.length };
    server.artifacts.set(otherReference.digest, other);
    writeFileSync(join(directory, 'artifacts', `${otherReference.digest.slice(7)}.part`), Buffer.alloc(500));
    await expect(source.open(otherReference)).rejects.toMatchObject({ code: 'artifact-unusable' });
    expect(readFileSync(await source.open(otherReference)).equals(other)).toBe(true);
  });

  it.each([
    ['another content', randomBytes(content.length)],
    ['more than announced', Buffer.concat([content, Buffer.from('x')])],
  ])('are refused when the server sends %s, and nothing of it is kept', async (_, sent) => {
    server.artifacts.set(reference.digest, sent);
    await expect((await cache()).open(reference)).rejects.toMatchObject({ code: 'artifact-unusable' });
    expect(readdirSync(join(directory, 'artifacts'))).toEqual([]);
  });

  it('are transient errors while nobody has them', async () => {
    server.artifacts.clear();
    await expect((await cache()).open(reference)).rejects.toMatchObject({ code: 'unavailable' });
  });

  // MCO-O-064
  it('make room within the bound, those used longest ago first', async () => {
    const source = await cache(700_000);
    const made = Array.from({ length: 3 }, () => randomBytes(300_000));
    const paths: string[] = [];
    for (const each of made) {
      const one = { digest: digestOf(each), sizeBytes: each.length };
      server.artifacts.set(one.digest, each);
      paths.push(await source.open(one));
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    const left = readdirSync(join(directory, 'artifacts'));
    expect(new Set(left)).toEqual(new Set(paths.slice(1).map((path) => path.split('/').at(-1))));
  });

  it('have names that cannot leave the directory', async () => {
    const source = await cache();
    await expect(source.open({ digest: 'sha256:../../etc/passwd', sizeBytes: 1 })).rejects.toMatchObject({
      code: 'artifact-unusable',
    });
  });
});
