import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseId, type HostId } from '../../kernel/index.ts';
import { sealAssignments } from '../../orchestrator/mco/seal-assignments.ts';
import type { WantedMessage } from '../../orchestrator/mco/messages.ts';
import { openIdentity, type SealingKeys } from '../identity/index.ts';
import { assignment, type Assignment } from '../mco-client/index.ts';
import { assignmentOf } from '../testkit/assignment.ts';
import { needsSealing, openAssignments } from './open-assignments.ts';

const hostId = parseId<HostId>('gw-1', 'hostId');
let directory: string;
let keys: SealingKeys;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sealed-'));
  keys = (await openIdentity(directory, hostId)).sealingKeys;
});

afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

type Values = { readonly config: Record<string, unknown>; readonly seed?: string };

function plainOf({ config, seed }: Values, name = 'fn-1'): WantedMessage['assignments'][number] {
  const { workload, lostAfterSeconds } = assignmentOf({ name });
  const broker = {
    capability: 'message-broker',
    protocol: 'nats',
    endpoints: [{ host: '192.0.2.1', port: 4222, instance: 'broker-0' }],
    ...(seed === undefined ? {} : { credential: { id: 'key-1', seed } }),
  };
  const bindings = { config, requires: { broker }, clients: [] };
  return { generation: 1, lostAfterSeconds, workload: { ...workload, bindings } };
}

/** What the orchestrator sends, as the agent reads it. */
async function sealed(plain: WantedMessage['assignments'][number], to = keys): Promise<Assignment> {
  const message = { assignments: [plain] } as unknown as WantedMessage;
  const answer = await sealAssignments(message, hostId, { sealingKey: { ...to.current.publicJwk } });
  return assignment(JSON.parse(JSON.stringify(answer.assignments[0])), '');
}

describe('secret values of an assignment', () => {
  // MCO-O-080
  it('are opened on the host as they were, whatever they are, and are nowhere in what it is sent', async () => {
    const text = fc.string({ minLength: 6, unit: 'grapheme' }).map((each) => `s3cret-${each}`);
    const values = fc.record({
      config: fc.dictionary(fc.string(), fc.oneof(text, fc.array(text), fc.record({ inner: text }))),
      seed: text,
    });
    await fc.assert(
      fc.asyncProperty(values, async (each) => {
        const plain = plainOf(each);
        const received = await sealed(plain);
        expect(JSON.stringify(received)).not.toContain('s3cret-');
        const [opened] = await openAssignments([received], { hostId, keys });
        expect(opened).toEqual(plain.workload);
      }),
      { numRuns: 200 },
    );
  });

  it('stay in the clear where there is none, or the host opens none', async () => {
    const none = await sealed(plainOf({ config: {} }));
    expect(none.sealed).toBeUndefined();
    const clear = assignment(plainOf({ config: { level: 'debug' } }), '');
    expect(await openAssignments([clear], { hostId, keys })).toMatchObject([
      { bindings: { config: { level: 'debug' } } },
    ]);
    expect(needsSealing([none], keys)).toBe(false);
    expect(needsSealing([clear], keys)).toBe(true);
  });

  // MCO-O-087
  it('are refused for another workload or host, when changed, and when sealed to another key, without showing them', async () => {
    const received = await sealed(plainOf({ config: { password: 's3cret-1' } }));
    const moved = { ...received, workload: plainOf({ config: {} }, 'fn-2').workload } as Assignment;
    const cut = { ...received, sealed: `${received.sealed?.slice(0, -4)}AAAA` };
    const opener = { hostId, keys };
    await expect(openAssignments([moved], opener)).rejects.toThrow(/it is for fn-1/);
    await expect(openAssignments([cut], opener)).rejects.toMatchObject({ code: 'unavailable' });
    const other = { hostId: parseId<HostId>('gw-2', 'hostId'), keys };
    await expect(openAssignments([received], other)).rejects.toThrow(/on gw-1/);
    const elsewhere = mkdtempSync(join(directory, 'other-'));
    const others = (await openIdentity(elsewhere, hostId)).sealingKeys;
    const failure = await openAssignments([received], { hostId, keys: others }).catch(String);
    expect(failure).toMatch(/sealed to key/);
    expect(failure).not.toContain('s3cret');
  });

  it('are opened with the key before a rotation until that is forgotten, also over a restart', async () => {
    const before = await sealed(plainOf({ config: { password: 's3cret-1' } }));
    await keys.rotate();
    const restarted = (await openIdentity(directory, hostId)).sealingKeys;
    expect(restarted.current.id).toBe(keys.current.id);
    expect(needsSealing([before], restarted)).toBe(true);
    expect(await openAssignments([before], { hostId, keys: restarted })).toHaveLength(1);
    const after = await sealed(plainOf({ config: { password: 's3cret-1' } }), restarted);
    expect(needsSealing([after], restarted)).toBe(false);
    await restarted.forgetPrevious();
    await expect(openAssignments([before], { hostId, keys: restarted })).rejects.toThrow(/sealed to key/);
    expect((await openIdentity(directory, hostId)).sealingKeys.find(keys.current.id)).toBeDefined();
  });
});
