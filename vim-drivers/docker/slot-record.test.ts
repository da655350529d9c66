import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT, type VnfInstanceId } from '../../kernel/index.ts';
import type { ContainerView } from './container-view.ts';
import { containerLabels, parseMark } from './labels.ts';
import { deriveRecord, noteFor, restoreRecord, startFault } from './slot-record.ts';

const STARTED = '2026-01-01T00:00:00.000Z';
const ENDED = '2026-01-01T00:01:00.000Z';

function viewOf(changes: Partial<ContainerView> = {}, mode: 'service' | 'job' = 'service'): ContainerView {
  return {
    id: 'c1',
    name: 'f-main-g1-0',
    mark: {
      key: { tenant: DEFAULT_TENANT, vnfInstanceId: 'f' as VnfInstanceId, unit: 'main', generation: 1 },
      slot: 0,
      epoch: 2,
      specHash: 'sha256:1',
      plan: {
        run: { mode },
        probes: {},
        restart: { withinSeconds: 60, times: 3, backoffMinSeconds: 1, backoffMaxSeconds: 1 },
        stop: { signal: 'SIGTERM', graceSeconds: 1 },
        ports: [],
        command: ['serve'],
        memoryBytes: 64 * 1024 ** 2,
      },
      ports: { http: 20_000 },
      network: 'n',
      bindingsHash: 'b',
    },
    status: 'running',
    pid: 1,
    exitCode: 0,
    isOutOfMemory: false,
    error: '',
    startedAt: STARTED,
    finishedAt: 0,
    createdAt: '2025-12-31T00:00:00.000Z',
    engineRestarts: 0,
    isRestartedByEngine: true,
    networks: {},
    ...changes,
  };
}

const EXITED = { status: 'exited', finishedAt: Date.parse(ENDED), pid: 0 } as const;

describe('what a container tells by itself', () => {
  it('is that it runs, since its start, with the restarts that the engine has counted', () => {
    expect(deriveRecord(viewOf({ engineRestarts: 2 }))).toMatchObject({
      state: 'RUNNING',
      since: STARTED,
      restarts: 2,
      ports: { http: 20_000 },
      epoch: 2,
    });
  });

  it('is how it ended', () => {
    expect(deriveRecord(viewOf({ ...EXITED, exitCode: 3 }))).toMatchObject({
      state: 'PENDING',
      reason: 'exited with code 3',
      isSettled: false,
    });
    expect(deriveRecord(viewOf({ ...EXITED, exitCode: 137, isOutOfMemory: true })).reason).toBe(
      'out of memory (limit 64 MiB)',
    );
    expect(deriveRecord(viewOf(EXITED, 'job'))).toMatchObject({
      state: 'COMPLETED',
      since: ENDED,
      exitCode: 0,
    });
  });

  it('is that it was given up, where the engine is no longer to start it', () => {
    expect(deriveRecord(viewOf({ ...EXITED, exitCode: 1, isRestartedByEngine: false }))).toMatchObject({
      state: 'FAILED',
      reason: 'exited with code 1; not started again',
    });
  });

  it('is that it waits for its start', () => {
    const created = { status: 'created', startedAt: '', pid: 0 } as const;
    expect(deriveRecord(viewOf(created))).toMatchObject({ state: 'PENDING', isSettled: true });
  });
});

describe('a note', () => {
  it('is not needed for what the container tells', () => {
    expect(noteFor(deriveRecord(viewOf()), viewOf())).toBeUndefined();
  });

  it('gives back what it does not', () => {
    const record = {
      ...deriveRecord(viewOf()),
      state: 'UNHEALTHY',
      reason: 'not ready',
      restarts: 4,
    } as const;
    const note = noteFor(record, viewOf());
    expect(restoreRecord(viewOf(), note)).toEqual(record);
  });

  it('of another epoch or spec counts for nothing', () => {
    const note = JSON.stringify({ ...deriveRecord(viewOf()), epoch: 1, restarts: 9 });
    expect(restoreRecord(viewOf(), note)).toEqual(deriveRecord(viewOf()));
  });
});

it('knows why an engine could not start a program', () => {
  const prefix =
    'OCI runtime create failed: runc create failed: unable to start container process: exec: "x":';
  expect(startFault(`${prefix} executable file not found in $PATH: unknown`)).toBe(127);
  expect(startFault(`${prefix} permission denied: unknown`)).toBe(126);
  expect(startFault('no space left on device')).toBeUndefined();
});

describe('what somebody else has written', () => {
  it('is no mark of ours where a part is missing', () => {
    const { mark } = viewOf();
    const parts: readonly object[] = [
      { ports: undefined },
      { network: undefined },
      { plan: { restart: { times: 1 } } },
    ];
    const marks = [{}, ...parts].map((part) => parseMark(containerLabels('mine', { ...mark, ...part }, {})));
    expect(marks.map((found) => found !== undefined)).toEqual([true, false, false, false]);
  });

  it('is no note of ours: what the container tells counts', () => {
    const view = viewOf();
    for (const note of ['', 'null', '{', '{"epoch":2,"specHash":"sha256:1"}'])
      expect(restoreRecord(view, note)).toEqual(deriveRecord(view));
  });
});
