import { isDeepStrictEqual } from 'node:util';
import { must } from '../../case.ts';
import type { Schemas } from '../ledger.ts';
import { comesToPass } from '../observe.ts';
import type { AgentCase } from '../stage.ts';
import { wishOf } from '../workload.ts';

type Report = Schemas['report'];

export const reportCases: readonly AgentCase[] = [
  {
    id: 'first-report-is-full',
    title:
      'The first report of every boot is full, and so is the next one after 409 with fullRequired, under the number that was named.',
    requirements: ['MCO-O-030'],
    async play(stage, { check }) {
      await stage.calm();
      for (const bootId of new Set(stage.played.received.map((each) => each.bootId))) {
        const first = stage.played.received.find(
          (each) => each.bootId === bootId && each.operation === 'postReport',
        );
        const isFull = first === undefined || (first.body as Report).full;
        check('MCO-O-030', isFull, `the first report of boot ${bootId} is not full`);
      }
      stage.ledger.isFullRequired = true;
      const from = stage.since('postReport').length;
      stage.assign(wishOf(stage.newName(), stage.workload.runs));
      const refused = await stage.until('a report comes', () => stage.since('postReport')[from]);
      const next = await stage.until('the next report comes', () =>
        (refused.body as Report).full ? refused : stage.since('postReport')[from + 1],
      );
      check('MCO-O-030', (next.body as Report).full, 'after fullRequired the next report is not full');
      check(
        'MCO-O-030',
        next.sequence === refused.sequence,
        `it came as number ${String(next.sequence)}, where ${String(refused.sequence)} was named`,
      );
    },
  },
  {
    id: 'reports-name-the-revision',
    title:
      'Reports name the revision of the wanted state that they reflect, and the newest one comes to be named.',
    requirements: ['MCO-O-035'],
    async play(stage, { check }) {
      await stage.calm();
      await stage.run();
      const { revision } = stage.ledger;
      const isNamed = await comesToPass(stage, () =>
        stage.since('postReport').some(({ body }) => (body as Report).appliedRevision === revision),
      );
      check('MCO-O-035', isNamed, `no report names revision ${revision} as appliedRevision`);
    },
  },
  {
    id: 'unanswered-report-is-repeated-unchanged',
    title:
      'A report whose answer was lost comes again unchanged, under its number, whatever has changed meanwhile.',
    requirements: ['MCO-O-036'],
    async play(stage, { check }) {
      await stage.calm();
      const first = wishOf(stage.newName(), stage.workload.runs);
      let isLost = false;
      stage.played.fate = ({ operation }) => {
        if (operation !== 'postReport' || isLost) return undefined;
        isLost = true;
        return { reply: { type: 'cut' }, takesEffect: true };
      };
      const from = stage.since('postReport').length;
      stage.assign(first);
      const lost = await stage.until('a report comes', () => stage.since('postReport')[from]);
      stage.assign(first, wishOf(stage.newName(), stage.workload.runs));
      const again = await stage.until('the report comes again', () => stage.since('postReport')[from + 1]);
      must(lost.bootId === again.bootId, 'the agent was started anew meanwhile');
      check(
        'MCO-O-036',
        again.sequence === lost.sequence,
        `it came as number ${String(again.sequence)}, not ${String(lost.sequence)}`,
      );
      check(
        'MCO-O-036',
        isDeepStrictEqual(again.body, lost.body),
        `report ${String(lost.sequence)} came again with another body`,
      );
    },
  },
];
