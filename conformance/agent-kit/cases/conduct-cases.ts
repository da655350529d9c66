import { KIT_SP_ID } from '../http-orchestrator-wire.ts';
import type { Received } from '../orchestrator-wire.ts';
import type { AgentCase, AgentStage } from '../stage.ts';

const MOST_CARRYING = 2;
const MOST_CONNECTIONS = 3;
/** Those whose numbers may jump, since what an agent has dropped is not sent. */
const MAY_JUMP: ReadonlySet<string> = new Set(['postMeasurements', 'postAlarms']);
const SHOWN_FAULTS = 3;

/** What shows in all that an agent does: judged over everything that came since the kit was started. */
export const conductCases: readonly AgentCase[] = [
  {
    id: 'messages-are-as-the-document-says',
    title: 'Every message that the agent sent, with its headers, is as the document says.',
    requirements: ['MCO-C-008'],
    async play(stage, { check }) {
      await doAllThings(stage);
      const faults = stage.played.received.flatMap(({ operation, faults: own, spId, version }) => [
        ...own.map((fault) => `${operation}: ${fault}`),
        ...(spId === undefined || spId === KIT_SP_ID ? [] : [`${operation}: Mco-Sp-Id is ${spId}`]),
        ...(version.startsWith('1.') ? [] : [`${operation}: Mco-Version is ${version}`]),
      ]);
      const shown = [...new Set(faults)].slice(0, SHOWN_FAULTS).join('; ');
      check('MCO-C-008', faults.length === 0, `${faults.length} faults: ${shown}`);
    },
  },
  {
    id: 'numbers-count-by-one',
    title:
      'In every boot the messages of each operation are numbered from 1 by one each; a number comes again only where it was not answered.',
    requirements: ['MCO-C-012'],
    async play(stage, { check }) {
      await doAllThings(stage);
      for (const { key, before, sequence, isRight } of numberingsOf(stage))
        check(
          'MCO-C-012',
          isRight,
          `${key}: number ${sequence} came ${before === undefined ? 'first' : `after ${before}`}`,
        );
      const repeated = findRepeatsOfAnswered(stage);
      check(
        'MCO-C-012',
        repeated === undefined,
        `${repeated ?? ''} came again, though it was answered with 200`,
      );
    },
  },
  {
    id: 'connections-are-few',
    title: `No more than ${MOST_CARRYING} connections are open at a time, beside one for a file.`,
    requirements: ['MCO-C-001'],
    async play(stage, { check }) {
      await doAllThings(stage);
      const { carrying, all } = stage.played.wire.connections();
      check('MCO-C-001', carrying <= MOST_CARRYING, `${carrying} connections were open at a time`);
      check(
        'MCO-C-001',
        all <= MOST_CONNECTIONS,
        `${all} connections were open at a time, those for files among them`,
      );
    },
  },
  {
    id: 'facts-come-before-the-first-question',
    title: 'In every boot the agent states its facts before it asks for its wanted state.',
    requirements: ['MCO-O-003'],
    async play(stage, { check }) {
      await stage.calm();
      for (const bootId of new Set(stage.played.received.map((each) => each.bootId))) {
        const own = stage.played.received.filter((each) => each.bootId === bootId);
        const facts = own.findIndex(({ operation }) => operation === 'putFacts');
        const question = own.findIndex(({ operation }) => operation === 'getWanted');
        check(
          'MCO-O-003',
          question === -1 || (facts !== -1 && facts < question),
          `boot ${bootId} asked for its wanted state ${facts === -1 ? 'and never stated facts' : 'before it stated facts'}`,
        );
      }
    },
  },
  {
    id: 'processor-is-stated-in-reference-cores',
    title: 'What functions may use of the processor is no more than cores times their score, in thousandths.',
    requirements: ['MCO-O-004'],
    async play(stage, { check }) {
      await stage.calm();
      const facts = await stage.until('the agent has stated its facts', () =>
        stage.played.received.findLast(({ operation }) => operation === 'putFacts'),
      );
      const { cpu } = facts.body as { cpu: { cores: number; score: number; allocatableMillis: number } };
      const most = Math.ceil(cpu.cores * cpu.score * 1000);
      check(
        'MCO-O-004',
        cpu.allocatableMillis <= most,
        `allocatableMillis is ${cpu.allocatableMillis} for ${cpu.cores} cores with score ${cpu.score}: ${most} at most`,
      );
    },
  },
];

/** So that there is something to judge, also where these cases are played alone. */
async function doAllThings(stage: AgentStage): Promise<void> {
  await stage.calm();
  await stage.run();
  stage.collect({ jobId: 'host', source: 'host', everySeconds: 0.5 });
  await stage.until('a second measurement comes', () => stage.since('postMeasurements').length > 1);
}

interface Numbering {
  /** Operation and boot. */
  readonly key: string;
  /** The highest number before; absent: it is the first. */
  readonly before: number | undefined;
  readonly sequence: number;
  readonly isRight: boolean;
}

/** Every number that came. What was sent while the kit was away has never come, so that numbers may be missing then. */
function numberingsOf({ played }: AgentStage): readonly Numbering[] {
  const highest = new Map<string, { readonly sequence: number; readonly at: number }>();
  return played.received.flatMap(({ operation, bootId, sequence, at }) => {
    if (sequence === undefined) return [];
    const key = `${operation} of boot ${bootId}`;
    const before = highest.get(key);
    const mayJump =
      MAY_JUMP.has(operation) || played.wire.returns.some((time) => time > (before?.at ?? 0) && time <= at);
    const isRight = sequence <= (before?.sequence ?? 0) + 1 || mayJump;
    if (sequence > (before?.sequence ?? 0)) highest.set(key, { sequence, at });
    return [{ key, before: before?.sequence, sequence, isRight }];
  });
}

function findRepeatsOfAnswered({ played }: AgentStage): string | undefined {
  const answered = new Set<string>();
  for (const message of played.received) {
    const key = nameOf(message);
    if (key === undefined) continue;
    if (answered.has(key)) return key;
    if (played.statuses.get(message) === 200 && !played.lost.has(message)) answered.add(key);
  }
  return undefined;
}

function nameOf({ operation, bootId, sequence }: Received): string | undefined {
  return sequence === undefined ? undefined : `${operation} ${sequence} of boot ${bootId}`;
}
