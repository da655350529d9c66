import { EMPTY_REPORT, factsOf, told, type Schemas } from '../played-host.ts';
import type { OrchestratorCase } from '../stage.ts';

type SequenceProblem = Partial<Schemas['sequence-problem']>;

/** A workload that nobody has assigned. */
export const FOREIGN_KEY: Schemas['workload-key'] = {
  tenant: 'default',
  vnfInstanceId: 'nobody-assigned-this',
  unit: 'main',
  generation: 1,
};

export const reportCases: readonly OrchestratorCase[] = [
  {
    id: 'older-facts-are-refused',
    title:
      'Newer facts replace older ones; facts with an older number are answered with 409 and the number that is expected.',
    requirements: ['MCO-O-001'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const body = factsOf(host.hostId);
      await host.expect(200, 'putFacts', { sequence: 5, body });
      const older = await host.send('putFacts', { sequence: 3, body });
      check('MCO-O-001', older.status === 409, `facts 3 after 5: ${told(older)}`);
      const { expectedSequence } = (older.body ?? {}) as SequenceProblem;
      check(
        'MCO-O-001',
        older.status !== 409 || expectedSequence === 6,
        `facts 3 after 5: expectedSequence is ${String(expectedSequence)}, not 6`,
      );
    },
  },
  {
    id: 'facts-of-a-new-boot-are-taken',
    title: 'The first facts of a new boot are taken, whatever number the boot before had reached.',
    requirements: ['MCO-O-002'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      await host.expect(200, 'putFacts', { sequence: 7, body: factsOf(host.hostId) });
      host.reboot();
      await host.openSession();
      const first = await host.send('putFacts', { sequence: 1, body: factsOf(host.hostId) });
      check('MCO-O-002', first.status === 200, `facts 1 of a new boot: ${told(first)}`);
    },
  },
  {
    id: 'first-report-has-to-be-full',
    title:
      'A first report of a boot that is not full is answered with 409 and fullRequired, and the same number is taken with a full one.',
    requirements: ['MCO-O-030'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      host.reboot();
      await host.openSession();
      const part = await host.send('postReport', { sequence: 1, body: { ...EMPTY_REPORT, full: false } });
      const { fullRequired, expectedSequence } = (part.body ?? {}) as SequenceProblem;
      check(
        'MCO-O-030',
        part.status === 409 && fullRequired === true,
        `${told(part)}, fullRequired: ${String(fullRequired)}`,
      );
      const sequence = expectedSequence ?? 1;
      const full = await host.send('postReport', { sequence, body: EMPTY_REPORT });
      check('MCO-O-030', full.status === 200, `a full one under number ${sequence}: ${told(full)}`);
    },
  },
  {
    id: 'first-report-to-a-new-leader-has-to-be-full',
    title:
      'After the orchestrator was started again, a report that is not full is answered with 409 and fullRequired.',
    requirements: ['MCO-O-030'],
    needs: ['restart'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      await stage.operator.do('restart');
      const part = await host.send('postReport', { sequence: 2, body: { ...EMPTY_REPORT, full: false } });
      const { fullRequired } = (part.body ?? {}) as SequenceProblem;
      check(
        'MCO-O-030',
        part.status === 409 && fullRequired === true,
        `${told(part)}, fullRequired: ${String(fullRequired)}`,
      );
    },
  },
  {
    id: 'gap-in-reports-is-refused',
    title: 'A report after a gap is answered with 409 and the number that is expected, which is then taken.',
    requirements: ['MCO-O-031'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const gap = await host.send('postReport', { sequence: 4, body: EMPTY_REPORT });
      const { expectedSequence } = (gap.body ?? {}) as SequenceProblem;
      check(
        'MCO-O-031',
        gap.status === 409 && expectedSequence === 2,
        `report 4 after 1: ${told(gap)}, expectedSequence: ${String(expectedSequence)}`,
      );
      const next = await host.send('postReport', { sequence: 2, body: EMPTY_REPORT });
      check('MCO-O-031', next.status === 200, `report 2 after it: ${told(next)}`);
    },
  },
  {
    id: 'foreign-workloads-are-counted-as-ignored',
    title: 'What a report says of a workload that was never assigned to the host is counted as ignored.',
    requirements: ['MCO-O-033'],
    async play(stage, { check }) {
      const host = await stage.readyHost();
      const workload: Schemas['observed-workload'] = {
        key: FOREIGN_KEY,
        specHash: `sha256:${'0'.repeat(64)}`,
        instances: [],
      };
      const answer = await host.send('postReport', {
        sequence: 2,
        body: { ...EMPTY_REPORT, workloads: [workload] },
      });
      const { ignored } = (answer.body ?? {}) as Partial<Schemas['receipt']>;
      check(
        'MCO-O-033',
        answer.status === 200 && ignored === 1,
        `${told(answer)}, ignored: ${String(ignored)}`,
      );
    },
  },
  {
    id: 'renewals-keep-a-host-ready',
    title:
      'A host that asks for its wanted state is READY; one that falls silent is SUSPECT once its lease has lapsed, and READY again with its next question.',
    requirements: ['MCO-O-040', 'MCO-O-042'],
    needs: ['state'],
    isWaiting: true,
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      const { leaseSeconds } = await host.comeUp();
      const state = (): Promise<string> => stage.operator.do('state', host.hostId);
      await host.send('getWanted');
      const renewed = await state();
      check('MCO-O-040', renewed === 'READY', `after a question the host is ${renewed}`);
      await stage.sleep(leaseSeconds * 1.25 + 1);
      const silent = await state();
      check(
        'MCO-O-042',
        ['SUSPECT', 'LOST'].includes(silent),
        `after ${leaseSeconds} s of silence the host is ${silent}`,
      );
      await host.send('getWanted');
      const back = await state();
      check('MCO-O-040', back === 'READY', `after the next question the host is ${back}`);
    },
  },
];
