import { ask, runMarked, script } from '../diagnostic-requests.ts';
import type { AssignmentWish } from '../ledger.ts';
import { comesToPass } from '../observe.ts';
import { describeStream, endOf, outputOf } from '../played-streams.ts';
import type { AgentCase, AgentStage } from '../stage.ts';

const BOUND_BYTES = 1000;
const BOUND_SECONDS = 2;
/** From when an end is due until it has shown. */
const SLACK_SECONDS = 3;
const WITHOUT_END = 'while :; do echo more; done';
/** It does not end by a signal that can be ignored, and neither does what it has started. */
const STUBBORN = (file: string): string =>
  `trap '' TERM HUP INT; (trap '' TERM HUP INT; while :; do echo >> ${file}; sleep 0.2; done) & echo begun; wait`;
/** It says something all the time, so that an agent learns soon that nobody takes its chunks any more. */
const TICKING = (file: string): string => `while :; do echo begun; echo >> ${file}; sleep 0.2; done`;

/** When streams of diagnostics end, and the commands behind them. */
export const streamEndCases: readonly AgentCase[] = [
  {
    id: 'streams-end-with-their-request-and-session',
    title:
      'When its request is withdrawn, or the session in which it was begun has ended, a stream ends, and so does its command.',
    requirements: ['MCO-D-005'],
    async play(stage, { check }) {
      const wish = await runMarked(stage);
      for (const [what, end] of [
        ['its request was withdrawn', withdraw],
        ['its session had ended', ({ ledger }: AgentStage) => ledger.sessions.clear()],
      ] as const) {
        const file = fileFor(stage);
        const stream = ask(stage, wish, { kind: 'exec', command: script(stage, TICKING(file)) });
        await stage.until('the command runs', () => outputOf(stream, 'stdout').includes('begun'));
        end(stage);
        if (stage.ledger.sessions.size === 0)
          await stage.until('a new session is opened', () => stage.ledger.sessions.size > 0);
        const isStill = await becomesStill(stage, wish, file);
        check('MCO-D-005', isStill, `after ${what} the command runs on`);
        withdraw(stage);
      }
    },
  },
  {
    id: 'streams-end-at-their-bounds',
    title: 'A stream ends at its bound of bytes, and at its bound of time, and says so.',
    requirements: ['MCO-D-005'],
    async play(stage, { check }) {
      const wish = await runMarked(stage);
      const bytes = ask(stage, wish, {
        kind: 'exec',
        command: script(stage, WITHOUT_END),
        maxBytes: BOUND_BYTES,
      });
      const time = ask(stage, wish, {
        kind: 'exec',
        command: script(stage, 'sleep 60'),
        maxSeconds: BOUND_SECONDS,
      });
      const isBounded = await comesToPass(stage, () => endOf(bytes) !== undefined);
      const came = outputOf(bytes, 'stdout').length;
      check(
        'MCO-D-005',
        isBounded && endOf(bytes)?.reason === 'BYTES' && came <= BOUND_BYTES,
        `at ${BOUND_BYTES} bytes ${came} came: ${describeStream(bytes)}`,
      );
      const isInTime = await comesToPass(
        stage,
        () => endOf(time) !== undefined,
        BOUND_SECONDS + SLACK_SECONDS,
      );
      check(
        'MCO-D-005',
        isInTime && endOf(time)?.reason === 'SECONDS',
        `at ${BOUND_SECONDS} s: ${describeStream(time)}`,
      );
    },
  },
  {
    id: 'what-a-command-has-started-ends-with-it',
    title:
      'When its request is withdrawn, a command ends with all that it has started, though that ignores signals.',
    requirements: ['MCO-D-011'],
    async play(stage, { check }) {
      const wish = await runMarked(stage);
      const file = fileFor(stage);
      const stream = ask(stage, wish, { kind: 'exec', command: script(stage, STUBBORN(file)) });
      await stage.until('the command runs', () => outputOf(stream, 'stdout').includes('begun'));
      withdraw(stage);
      const isStill = await becomesStill(stage, wish, file);
      check('MCO-D-011', isStill, 'what the command had started runs on');
    },
  },
  {
    id: 'command-ends-with-the-agent',
    title: 'When the agent was killed and started again, nothing of a command runs any more.',
    requirements: ['MCO-D-011'],
    needs: ['restart'],
    async play(stage, { check }) {
      const wish = await runMarked(stage);
      const file = fileFor(stage);
      const stream = ask(stage, wish, { kind: 'exec', command: script(stage, STUBBORN(file)) });
      await stage.until('the command runs', () => outputOf(stream, 'stdout').includes('begun'));
      await stage.restart();
      withdraw(stage);
      await stage.until('the function is found again', () => stage.isRunning(wish));
      const isStill = await becomesStill(stage, wish, file);
      check('MCO-D-011', isStill, 'what the command had started runs on');
    },
  },
];

/** Nothing is asked for any more. */
function withdraw({ ledger }: AgentStage): void {
  ledger.requests = [];
  ledger.revision += 1;
}

/** A file that commands of one case write to, where they may. */
function fileFor(stage: AgentStage): string {
  return `"\${TMPDIR:-/tmp}/${stage.newName()}"`;
}

/** Whether what writes to the file ends within some seconds: looked at by other commands, which remove the file at last. */
async function becomesStill(stage: AgentStage, wish: AssignmentWish, file: string): Promise<boolean> {
  const look = `a=$(wc -c < ${file}); sleep 1; b=$(wc -c < ${file}); [ "$a" = "$b" ] && { rm ${file}; echo still; } || echo goes on`;
  for (let attempt = 1; attempt <= SLACK_SECONDS; attempt += 1) {
    const stream = ask(stage, wish, { kind: 'exec', command: script(stage, look) });
    await stage.until('a command looks at the file', () => endOf(stream) !== undefined);
    if (outputOf(stream, 'stdout').includes('still')) return true;
  }
  return false;
}
