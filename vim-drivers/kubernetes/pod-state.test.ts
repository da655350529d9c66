import { describe, expect, it } from 'vitest';
import type { TenantId, VnfInstanceId } from '../../kernel/index.ts';
import type { KubeObject } from './objects.ts';
import { hasEnded, podState } from './pod-state.ts';
import { describeEnd, endsOf, exitCodeOf } from './program-end.ts';
import type { CopyRecord } from './records.ts';

type Pod = KubeObject<'pod'>;
type Status = NonNullable<Pod['status']>;
type Container = NonNullable<Status['containerStatuses']>[number];

const COPY: CopyRecord = {
  key: { tenant: 'a' as TenantId, vnfInstanceId: 'v' as VnfInstanceId, unit: 'main', generation: 1 },
  slot: 0,
  epoch: 1,
  specHash: 'sha256:x',
  ports: {},
  image: 'broker:1',
  program: 'broker',
  memoryBytes: 64 * 1024 ** 2,
};

const AT = '2026-11-22T10:00:00Z';
const LATER = '2026-11-22T10:05:00Z';

function pod(status: Status, metadata: Pod['metadata'] = {}): Pod {
  return { metadata: { name: 'p', creationTimestamp: AT, ...metadata }, status };
}

function withContainer(container: Partial<Container>, more: Partial<Status> = {}): Pod {
  const whole = { name: 'main', image: 'broker:1', imageID: '', ready: false, restartCount: 0, ...container };
  return pod({ phase: 'Running', containerStatuses: [whole], ...more });
}

const ENDED = { exitCode: 3, reason: 'Error', startedAt: AT, finishedAt: LATER };
const READY = [{ type: 'Ready', status: 'True', lastTransitionTime: LATER }];

describe('what a pod is as an instance', () => {
  const cases: readonly (readonly [string, Pod, string, unknown])[] = [
    ['one that is being made', pod({ phase: 'Pending' }), 'PENDING', undefined],
    [
      'one that no machine has room for',
      pod({
        phase: 'Pending',
        conditions: [
          {
            type: 'PodScheduled',
            status: 'False',
            reason: 'Unschedulable',
            message: '0/3 nodes are available: 3 Insufficient memory.',
          },
        ],
      }),
      'PENDING',
      'unschedulable: no machine of the cluster can take it now (0/3 nodes are available: 3 Insufficient memory.)',
    ],
    [
      'one whose image is not there',
      withContainer(
        { state: { waiting: { reason: 'ErrImageNeverPull', message: 'not present' } } },
        { phase: 'Pending' },
      ),
      'PENDING',
      expect.stringContaining('the image "broker:1" cannot be had: not present; push it to a registry'),
    ],
    [
      'one whose image is waited for',
      withContainer({ state: { waiting: { reason: 'ImagePullBackOff' } } }, { phase: 'Pending' }),
      'PENDING',
      expect.stringContaining('the image "broker:1" cannot be had; '),
    ],
    [
      'one whose Secret somebody has deleted',
      withContainer(
        { state: { waiting: { reason: 'CreateContainerConfigError', message: 'secret "x" not found' } } },
        { phase: 'Pending' },
      ),
      'PENDING',
      'the container cannot be made: secret "x" not found',
    ],
    [
      'one that runs and is ready',
      withContainer({ state: { running: { startedAt: AT } }, ready: true }, { conditions: READY }),
      'RUNNING',
      undefined,
    ],
    [
      'one that runs and was never ready',
      withContainer({ state: { running: { startedAt: AT } } }),
      'STARTING',
      undefined,
    ],
    [
      'one that has just ended',
      withContainer({ state: { terminated: ENDED } }),
      'PENDING',
      'exited with code 3',
    ],
    [
      'one that the kubelet lets wait',
      withContainer({ state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: ENDED } }),
      'PENDING',
      'exited with code 3; the cluster starts it again after a while',
    ],
    [
      'one that took too much memory',
      withContainer({ state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } }),
      'PENDING',
      'out of memory (limit 64 MiB)',
    ],
    [
      'one whose program is not in the image',
      withContainer({
        state: { waiting: { reason: 'RunContainerError' } },
        lastState: {
          terminated: {
            exitCode: 127,
            reason: 'ContainerCannotRun',
            message: 'OCI runtime create failed: exec: "broker": executable file not found in $PATH: unknown',
          },
        },
      }),
      'PENDING',
      expect.stringMatching(/^exited with code 127: "broker" was not found/),
    ],
    [
      'one that the cluster has evicted',
      pod({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' }),
      'PENDING',
      'evicted by the cluster: The node was low on resource: memory.',
    ],
    [
      'one whose machine is lost',
      { ...pod({ phase: 'Running', reason: 'NodeLost' }), spec: { nodeName: 'node-7', containers: [] } },
      'UNHEALTHY',
      'its machine node-7 does not answer',
    ],
    [
      'one that is on its way out',
      pod({ phase: 'Running' }, { deletionTimestamp: LATER, deletionGracePeriodSeconds: 10 }),
      'STOPPING',
      undefined,
    ],
    [
      'a job that is done',
      withContainer({ state: { terminated: { ...ENDED, exitCode: 0 } } }, { phase: 'Succeeded' }),
      'COMPLETED',
      undefined,
    ],
  ];

  it.each(cases)('%s', (_what, seen, state, reason) => {
    const told = podState(seen, COPY, { wasReady: false });
    expect(told.state).toBe(state);
    expect(told.reason).toEqual(reason);
  });

  it('is unhealthy when it was ready before, with what the probe found', () => {
    const seen = withContainer({ state: { running: { startedAt: AT } } });
    expect(
      podState(seen, COPY, { wasReady: true, complaint: 'GET / at port 80 answered 503' }),
    ).toMatchObject({
      state: 'UNHEALTHY',
      reason: 'not ready: GET / at port 80 answered 503',
    });
  });

  it('has the time when it entered the state from the cluster, so that every driver tells the same', () => {
    const ready = withContainer(
      { state: { running: { startedAt: AT } }, ready: true },
      { conditions: READY },
    );
    expect(podState(ready, COPY, { wasReady: true }).since).toBe('2026-11-22T10:05:00.000Z');
    const leaving = pod({}, { deletionTimestamp: LATER, deletionGracePeriodSeconds: 60 });
    expect(podState(leaving, COPY, { wasReady: false }).since).toBe('2026-11-22T10:04:00.000Z');
  });
});

describe('the ends of a program', () => {
  it('are those before the present run, and the present one once it has ended', () => {
    const count = (container: Partial<Container>): number => endsOf(withContainer(container)).count;
    expect(count({ state: { running: {} } })).toBe(0);
    expect(count({ state: { terminated: ENDED } })).toBe(1);
    expect(count({ state: { running: {} }, lastState: { terminated: ENDED }, restartCount: 1 })).toBe(1);
    const waiting = { waiting: { reason: 'CrashLoopBackOff' } };
    expect(count({ state: waiting, lastState: { terminated: ENDED }, restartCount: 1 })).toBe(2);
    const beginning = { waiting: { reason: 'ContainerCreating' } };
    expect(count({ state: beginning, lastState: { terminated: ENDED }, restartCount: 1 })).toBe(1);
  });

  it('are told as a shell tells them', () => {
    expect(exitCodeOf({ exitCode: 0, signal: 9 })).toBe(137);
    expect(describeEnd({ exitCode: 137, reason: 'Error' }, COPY)).toBe('killed by SIGKILL');
    const refused = { exitCode: 126, reason: 'StartError', message: 'exec: permission denied' };
    expect(describeEnd(refused, COPY)).toContain('cannot be executed');
  });
});

describe('a pod that is being deleted', () => {
  const leaving = (container: Partial<Container>): Pod => ({
    ...withContainer(container),
    metadata: { deletionTimestamp: LATER },
  });

  const NOW = Date.parse(LATER);

  it('has ended when its machine has said so', () => {
    expect(hasEnded(leaving({ state: { terminated: ENDED } }), NOW)).toBe(true);
    const unknown = { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } };
    expect(hasEnded(leaving({ state: { waiting: {} }, lastState: unknown }), NOW)).toBe(true);
    expect(hasEnded(leaving({ state: { running: {} } }), NOW + 1e9)).toBe(false);
    expect(hasEnded(pod({ phase: 'Pending' }, { deletionTimestamp: LATER }), NOW + 1e9)).toBe(false);
    expect(hasEnded(withContainer({ state: { terminated: ENDED } }), NOW)).toBe(false);
  });

  it('that has not begun has ended a while after its grace, but not where it may write to a kept volume', () => {
    const unbegun = leaving({ state: { waiting: { reason: 'ContainerCreating' } } });
    expect(hasEnded(unbegun, NOW + 1000)).toBe(false);
    expect(hasEnded(unbegun, NOW + 6000)).toBe(true);
    const ownerReferences = [{ kind: 'StatefulSet', apiVersion: 'apps/v1', name: 's', uid: 'u' }];
    expect(hasEnded({ ...unbegun, metadata: { ...unbegun.metadata, ownerReferences } }, NOW + 6000)).toBe(
      false,
    );
  });
});
