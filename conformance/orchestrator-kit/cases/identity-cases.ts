import type { Judge } from '../../case.ts';
import { EMPTY_REPORT, factsOf, told, type PlayedHost, type Schemas } from '../played-host.ts';
import type { OrchestratorCase } from '../stage.ts';

export const identityCases: readonly OrchestratorCase[] = [
  {
    id: 'two-machines-are-found-out',
    title:
      'Two boots that each come back after the other are a dispute: 409, the sessions of both end, and new ones are refused.',
    requirements: ['MCO-C-040', 'MCO-C-041'],
    async play(stage, judge) {
      await bringIntoDispute(await stage.enrolledHost(), judge);
    },
  },
  {
    id: 'dispute-is-settled-by-an-operator',
    title: 'Once an operator has settled a dispute, the host opens sessions again.',
    requirements: ['MCO-C-040', 'MCO-C-041'],
    needs: ['settle'],
    async play(stage, judge) {
      const host = await stage.enrolledHost();
      await bringIntoDispute(host, judge);
      await stage.operator.do('settle', host.hostId);
      host.reboot();
      const answer = await host.askSession();
      judge.check('MCO-C-041', answer.status === 201, `after the dispute was settled: ${told(answer)}`);
    },
  },
  {
    id: 'restarts-are-no-dispute',
    title: 'Boot after boot, and one late message of the boot before, are no dispute.',
    requirements: ['MCO-C-042'],
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      const boots = [host.reboot(), host.reboot(), host.reboot()];
      const [first = '', second = '', third = ''] = boots;
      const order = [first, second, first, third];
      for (const [index, bootId] of order.entries()) {
        const answer = await host.askSession({ bootId, counter: index + 1 });
        check('MCO-C-042', answer.status === 201, `session ${index + 1} of ${order.length}: ${told(answer)}`);
      }
    },
  },
  {
    id: 'other-state-is-confirmed-by-an-operator',
    title:
      'A host that has pinned another stateId is told that it is not confirmed, and gets 304 for every question, and the whole once an operator has confirmed.',
    requirements: ['MCO-C-051'],
    async play(stage, judge) {
      const host = await stage.enrolledHost();
      await judgeOtherState(host, judge);
      if (!stage.operator.can('confirm')) return;
      await stage.operator.do('confirm', host.hostId);
      const wanted = await host.send('getWanted', { query: { since: '0' } });
      const { full } = (wanted.body ?? {}) as Partial<Schemas['wanted']>;
      judge.check(
        'MCO-C-051',
        wanted.status === 200 && full === true,
        `after an operator has confirmed: ${told(wanted)}, full is ${String(full)}`,
      );
    },
  },
  {
    id: 'new-store-has-a-new-state',
    title:
      'When the store of the orchestrator was created anew or restored, enrolments and sessions name another stateId.',
    requirements: ['MCO-C-050'],
    needs: ['reset'],
    async play(stage, { check }) {
      const before = await stage.enrolledHost();
      await stage.operator.do('reset');
      const after = stage.newHost();
      const { stateId } = await after.enrol(await stage.tokenOf(after));
      check('MCO-C-050', stateId !== before.stateId, `the stateId is still ${stateId}`);
    },
  },
  {
    id: 'forgotten-host-has-no-session',
    title:
      'A host that has left, or that an operator had forgotten, is answered with 404 where it asks for a session, and its old one is over.',
    requirements: ['MCO-C-053'],
    async play(stage, judge) {
      const host = await stage.enrolledHost();
      await host.comeUp();
      await host.expect(204, 'leave');
      await judgeForgotten(host, judge);
      if (!stage.operator.can('forget')) return;
      const other = await stage.enrolledHost();
      await other.comeUp();
      await stage.operator.do('forget', other.hostId);
      await judgeForgotten(other, judge);
    },
  },
  {
    id: 'host-that-left-is-forgotten-whole',
    title: 'A host that has left may be enrolled anew with another key, and begins with number 1.',
    requirements: ['MCO-O-071'],
    async play(stage, { check }) {
      const host = await stage.enrolledHost();
      await host.comeUp();
      await host.expect(204, 'leave');
      const successor = stage.sameName(host);
      const enrolled = await successor.askEnrolment(await stage.tokenOf(successor));
      check(
        'MCO-O-071',
        enrolled.status === 201,
        `another key under the name that was left: ${told(enrolled)}`,
      );
      if (enrolled.status !== 201) return;
      const { m2mSpId, stateId } = enrolled.body as Schemas['enrolment'];
      Object.assign(successor, { spId: m2mSpId, stateId });
      await successor.openSession();
      const facts = await successor.send('putFacts', { sequence: 1, body: factsOf(host.hostId) });
      check('MCO-O-071', facts.status === 200, `its first facts: ${told(facts)}`);
    },
  },
];

async function bringIntoDispute(host: PlayedHost, { check }: Judge): Promise<void> {
  const [first, second] = [host.reboot(), host.reboot()];
  for (const [counter, bootId] of [first, second, first].entries())
    await host.openSession({ bootId, counter: counter + 1 });
  const dispute = await host.askSession({ bootId: second, counter: 4 });
  check(
    'MCO-C-040',
    dispute.status === 409,
    `the fourth session, of the second boot again: ${told(dispute)}`,
  );
  const old = await host.send('getWanted', { bootId: first });
  check('MCO-C-041', [401, 409].includes(old.status), `the session of before: ${told(old)}`);
  const challenge = await host.send('createChallenge');
  check('MCO-C-041', challenge.status === 409, `a new session: ${told(challenge)}`);
}

async function judgeOtherState(host: PlayedHost, { check }: Judge): Promise<void> {
  const session = await host.openSession({ lastStateId: 'another-state' });
  check('MCO-C-051', !session.stateIdConfirmed, 'the session says that the state is confirmed');
  await host.expect(200, 'putFacts', { sequence: 1, body: factsOf(host.hostId) });
  await host.expect(200, 'postReport', { sequence: 1, body: EMPTY_REPORT });
  for (const query of [{}, { full: 'true' }, { since: '0' }]) {
    const wanted = await host.send('getWanted', { query });
    check(
      'MCO-C-051',
      wanted.status === 304,
      `a question before an operator has confirmed (${new URLSearchParams(query).toString() || 'for the whole'}): ${told(wanted)}`,
    );
  }
}

async function judgeForgotten(host: PlayedHost, { check }: Judge): Promise<void> {
  const challenge = await host.send('createChallenge');
  check(
    'MCO-C-053',
    challenge.status === 404 || challenge.isRefusedByServer === true,
    `a challenge: ${told(challenge)}`,
  );
  const old = await host.send('getWanted');
  check('MCO-C-053', [401, 404].includes(old.status), `with the session of before: ${told(old)}`);
}
