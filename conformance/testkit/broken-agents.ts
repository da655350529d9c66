import type { Broken } from './broken-orchestrators.ts';
import type { components } from '../../api-specs/generated/mco.ts';
import { reproving } from './reproving.ts';
import { assignmentsOf, hearing, receiptFor, saying, withSpec, type Assignment } from './agent-meddles.ts';
import type { Meddle } from './meddling-proxy.ts';

export interface BrokenAgent extends Broken {
  /** Every message goes over a connection of its own. */
  readonly isWasteful?: boolean;
}

/** One for each behaviour; a real agent is behind each. */
export const BROKEN_AGENTS: readonly BrokenAgent[] = [
  {
    requirement: 'MCO-C-001',
    does: 'opens a connection for every message',
    make: () => (_, forward) => forward(),
    isWasteful: true,
  },
  {
    requirement: 'MCO-C-004',
    does: 'takes no answer of another major',
    make: () => async (_, forward) => {
      const passed = await forward();
      return passed.headers['mco-version']?.startsWith('1.') === true ? passed : 'cut';
    },
  },
  {
    requirement: 'MCO-C-006',
    does: 'takes no answer with members that it does not know',
    make: () => async (_, forward) => {
      const passed = await forward();
      return passed.body !== undefined && 'x-unknown' in passed.body ? 'cut' : passed;
    },
  },
  {
    requirement: 'MCO-C-007',
    does: 'takes what is missing for empty',
    make: hearing('wanted', (body) => ('full' in body ? { assignments: [], ...body } : body)),
  },
  {
    requirement: 'MCO-C-008',
    does: 'states facts without its memory',
    make: saying('facts', ({ memory: _memory, ...rest }) => rest),
  },
  {
    requirement: 'MCO-C-012',
    does: 'counts its facts from 2',
    make: () => (passing, forward) => {
      const { headers, what } = passing;
      return forward(
        what === 'facts'
          ? { headers: { ...headers, 'mco-sequence': String(Number(headers['mco-sequence']) + 1) } }
          : {},
      );
    },
  },
  {
    requirement: 'MCO-C-013',
    does: 'asks again at once',
    make: () => async (_, forward) => {
      for (let attempt = 1; ; attempt += 1) {
        const passed = await forward();
        if (passed.status !== 503 || attempt === 20) return passed;
      }
    },
  },
  {
    requirement: 'MCO-C-027',
    does: 'does not enrol again',
    make: () => {
      let isEnrolled = false;
      return async (passing, forward) => {
        if (passing.what === 'enrolments' && isEnrolled) return 'cut';
        isEnrolled ||= passing.what === 'enrolments';
        return forward();
      };
    },
  },
  {
    requirement: 'MCO-C-038',
    does: 'takes 401 for the end',
    make: () => {
      let isOver = false;
      return async (_, forward) => {
        const passed = isOver ? 'cut' : await forward();
        if (passed !== 'cut' && passed.status === 401) isOver = true;
        return passed;
      };
    },
  },
  {
    requirement: 'MCO-C-052',
    does: 'follows a state that nobody has confirmed',
    make: hearing('wanted', (body) => ({ ...body, stateIdConfirmed: true })),
  },
  {
    requirement: 'MCO-O-003',
    does: 'never states its facts',
    make: () => async (passing, forward) => (passing.what === 'facts' ? receiptFor(passing) : forward()),
  },
  {
    requirement: 'MCO-O-004',
    does: 'counts the speed of its cores twice',
    make: saying('facts', (body) => {
      const cpu = body['cpu'] as { readonly allocatableMillis: number };
      return { ...body, cpu: { ...cpu, allocatableMillis: cpu.allocatableMillis * 4 + 1000 } };
    }),
  },
  {
    requirement: 'MCO-O-016',
    does: 'takes the first of several assignments only',
    make: hearing('wanted', (body) => ({ ...body, assignments: assignmentsOf(body).slice(0, 1) })),
  },
  {
    requirement: 'MCO-O-021',
    does: 'does not look at generations',
    make: hearing('wanted', (body) => ({
      ...body,
      assignments: assignmentsOf(body).map((each) => ({ ...each, generation: body['revision'] })),
    })),
  },
  {
    requirement: 'MCO-O-022',
    does: 'does not look at fences',
    make: () => {
      let revision = 1_000_000;
      return async (passing, forward) => {
        const passed = await forward();
        if (passing.what !== 'wanted' || passed.body === undefined) return passed;
        revision += 1;
        return { ...passed, body: { ...passed.body, fence: { leaseNumber: 1_000_000, revision } } };
      };
    },
  },
  {
    requirement: 'MCO-O-023',
    does: 'takes changes for the whole',
    make: hearing('wanted', (body) => ({ ...body, full: true })),
  },
  {
    requirement: 'MCO-O-025',
    does: 'does not stop what is removed',
    make: hearing('wanted', (body) => ({ ...body, removed: [] })),
  },
  {
    requirement: 'MCO-O-030',
    does: 'never reports in full',
    make: saying('reports', (body) => ({ ...body, full: false })),
  },
  {
    requirement: 'MCO-O-035',
    does: 'does not say which revision it reflects',
    make: saying('reports', ({ appliedRevision: _revision, appliedStateId: _stateId, ...rest }) => rest),
  },
  {
    requirement: 'MCO-O-036',
    does: 'changes a report that was not answered',
    make: () => {
      const sent = new Set<string>();
      return async (passing, forward) => {
        const { headers, what, body } = passing;
        const key = `${headers['mco-boot-id'] ?? ''} ${headers['mco-sequence'] ?? ''}`;
        if (what !== 'reports' || body === undefined) return forward();
        const isAgain = sent.has(key);
        sent.add(key);
        return forward(isAgain ? { body: { ...body, 'x-again': true } } : {});
      };
    },
  },
  {
    requirement: 'MCO-O-037',
    does: 'asks first when it was away, and does not report',
    make: () => async (passing, forward) =>
      passing.what === 'reports' && passing.body?.['full'] === true ? receiptFor(passing) : forward(),
  },
  {
    requirement: 'MCO-O-086',
    does: 'tells no key for sealed values',
    make: reproving(({ sealingKey: _key, ...claims }) => claims),
  },
  {
    requirement: 'MCO-O-086',
    does: 'tells a key that nothing can be sealed to',
    make: reproving((claims) => ({
      ...claims,
      sealingKey: { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) },
    })),
  },
  {
    requirement: 'MCO-O-087',
    does: 'starts what it cannot open without its values',
    make: hearing('wanted', (body) => ({
      ...body,
      assignments: assignmentsOf(body).map(({ sealed: _sealed, ...rest }) => rest),
    })),
  },
  {
    requirement: 'MCO-O-087',
    does: 'stops everything for one that it cannot open',
    make: hearing('wanted', (body) =>
      assignmentsOf(body).some(({ sealed }) => sealed !== undefined)
        ? { ...body, full: true, assignments: [] }
        : body,
    ),
  },
  {
    requirement: 'MCO-O-088',
    does: 'asks for changes only, though it has another key',
    make: () => {
      let revision: string | undefined;
      return async (passing, forward) => {
        if (passing.what !== 'wanted') return forward();
        const query = new URLSearchParams(passing.query);
        if (revision !== undefined) query.delete('full');
        if (!query.has('since') && revision !== undefined) query.set('since', revision);
        const passed = await forward({ query });
        revision = passed.headers['mco-revision'] ?? revision;
        return passed;
      };
    },
  },
  {
    requirement: 'MCO-M-001',
    does: 'measures more than it was asked to',
    make: saying('measurements', (body) => {
      const [point] = body['points'] as readonly object[];
      const subject = { tenant: 'default', vnfInstanceId: 'fn', unit: 'main', generation: 1 };
      return { ...body, points: [{ ...point, subject }] };
    }),
  },
  {
    requirement: 'MCO-M-003',
    does: 'forgets measurements that were not taken',
    make: () => async (passing, forward) => {
      const passed = await forward();
      return passing.what === 'measurements' && passed.status === 503 ? receiptFor(passing) : passed;
    },
  },
  {
    requirement: 'MCO-M-009',
    does: 'sends no more measurements after one was refused',
    make: () => {
      let isOver = false;
      return async (passing, forward) => {
        if (passing.what === 'measurements' && isOver) return 'cut';
        const passed = await forward();
        isOver ||= passing.what === 'measurements' && passed.status === 400;
        return passed;
      };
    },
  },
];

/** Of these the agent has to run real programs. */
export const BROKEN_AGENTS_WITH_PROGRAMS: readonly BrokenAgent[] = [
  {
    requirement: 'MCO-O-027',
    does: 'does not say why something cannot be made',
    make: saying('reports', (body) => ({
      ...body,
      workloads: (body['workloads'] as readonly Record<string, unknown>[]).map(
        ({ problem: _problem, ...rest }) => ({ ...rest, instances: [] }),
      ),
    })),
  },
  {
    requirement: 'MCO-O-047',
    does: "knows no dead man's rule",
    make: hearing('wanted', (body) => ({
      ...body,
      assignments: assignmentsOf(body).map((each) => withSpec(each, { stopAfterSeconds: undefined })),
    })),
  },
  {
    requirement: 'MCO-O-049',
    does: "applies a dead man's rule to everything",
    make: hearing('wanted', (body) => ({
      ...body,
      assignments: assignmentsOf(body).map((each) => withSpec(each, { stopAfterSeconds: 1.2 })),
    })),
  },
  {
    requirement: 'MCO-O-062',
    does: 'begins a transfer anew',
    make: () => (passing, forward) => {
      const { range: _range, ...headers } = passing.headers;
      return forward({ headers });
    },
  },
  {
    requirement: 'MCO-O-065',
    does: 'fetches as fast as it can',
    make: hearing('wanted', (body) => ({
      ...body,
      assignments: assignmentsOf(body).map((each) => withSpec(each, { artifact: unbounded(each) })),
    })),
  },
  {
    requirement: 'MCO-O-028',
    does: 'runs nothing while the orchestrator is away',
    make: forgettingRuns(({ isNewBoot }) => !isNewBoot),
  },
  {
    requirement: 'MCO-O-028',
    does: 'starts a time again after a restart',
    make: retellingSchedules(({ isNewBoot, schedule }) => ({
      ...schedule,
      runs: schedule.runs.map((run) => ({
        ...run,
        ...(isNewBoot && run.startedAt !== undefined ? { startedAt: new Date().toISOString() } : {}),
      })),
    })),
  },
  {
    requirement: 'MCO-O-029',
    does: 'does not count what it has missed',
    make: retellingSchedules(({ schedule }) => ({ ...schedule, missed: 0 })),
  },
  {
    requirement: 'MCO-O-029',
    does: 'makes up for nothing',
    make: forgettingRuns(({ isNewBoot }) => !isNewBoot),
  },
  {
    requirement: 'MCO-O-039',
    does: 'says nothing of schedules',
    make: saying('reports', (body) => ({
      ...body,
      workloads: (body['workloads'] as readonly Record<string, unknown>[]).map(
        ({ schedule: _schedule, ...rest }) => rest,
      ),
    })),
  },
  {
    requirement: 'MCO-O-039',
    does: 'does not tell the next start',
    make: retellingSchedules(({ schedule: { nextAt: _nextAt, ...rest } }) => rest),
  },
  {
    requirement: 'MCO-M-011',
    does: 'raises no alarm',
    make: saying('alarms', (body) => ({ ...body, alarms: [] })),
  },
];

type Schedule = components['schemas']['schedule-report'];

/** Changes what the agent reports of its schedules; `isNewBoot` once it was started again. */
function retellingSchedules(
  revise: (told: { readonly schedule: Schedule; readonly isNewBoot: boolean }) => Schedule,
): () => Meddle {
  return () => {
    let first: string | undefined;
    return (passing, forward) => {
      const bootId = passing.headers['mco-boot-id'] ?? '';
      first ??= bootId;
      if (passing.what !== 'reports' || passing.body === undefined) return forward();
      const isNewBoot = bootId !== first;
      const workloads = (passing.body['workloads'] as readonly { readonly schedule?: Schedule }[]).map(
        (each) =>
          each.schedule === undefined
            ? each
            : { ...each, schedule: revise({ schedule: each.schedule, isNewBoot }) },
      );
      return forward({ body: { ...passing.body, workloads } });
    };
  };
}

function forgettingRuns(isKept: (told: { readonly isNewBoot: boolean }) => boolean): () => Meddle {
  return retellingSchedules(({ schedule, isNewBoot }) =>
    isKept({ isNewBoot }) ? schedule : { ...schedule, runs: [] },
  );
}

function unbounded({ workload }: Assignment): object {
  const { artifact } = workload['spec'] as { readonly artifact: { readonly files?: object } };
  const { files } = artifact;
  return files === undefined ? artifact : { ...artifact, files: { ...files, bitsPerSecond: undefined } };
}
