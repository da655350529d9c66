import { NotApplicable } from '../../case.ts';
import type { AssignmentWish, Schemas } from '../ledger.ts';
import { comesToPass, describe } from '../observe.ts';
import { createPlayedStream, describeStream, endOf, outputOf, type PlayedStream } from '../played-streams.ts';
import type { AgentCase, AgentStage } from '../stage.ts';
import { wishOf } from '../workload.ts';

type Request = Schemas['diagnostic-request'];

const MAX_BYTES = 16_777_216;
const BOUND_BYTES = 1000;
const BOUND_SECONDS = 2;
/** From when an end is due until it has shown. */
const SLACK_SECONDS = 3;
/** A chunk at least so often. */
const ALIVE_SECONDS = 15;
const LATE_SECONDS = 1;
const MARK = 'KIT_MARK';
const ECHO = `read -r line; echo "$${MARK} $line"; echo oops >&2; exit 7`;
const COUNTED = 20_000;
const COUNT = `i=0; while [ $i -lt ${COUNTED} ]; do i=$((i+1)); echo $i; done`;
const WITHOUT_END = 'while :; do echo more; done';
/** It does not end by a signal that can be ignored, and neither does what it has started. */
const STUBBORN = (file: string): string =>
  `trap '' TERM HUP INT; (trap '' TERM HUP INT; while :; do echo >> ${file}; sleep 0.2; done) & echo begun; wait`;
/** It says something all the time, so that an agent learns soon that nobody takes its chunks any more. */
const TICKING = (file: string): string => `while :; do echo begun; echo >> ${file}; sleep 0.2; done`;

export const diagnosticsCases: readonly AgentCase[] = [
  {
    id: 'what-operators-ask-for-comes',
    title:
      'Requests for output and for a command that come with the wanted state are answered with an empty chunk first, then with what there is, and with how it ended.',
    requirements: ['MCO-D-003'],
    async play(stage, { check }) {
      const wish = await runMarked(stage);
      const { prints = '' } = stage.workload;
      const following = ask(stage, wish, { kind: 'logs', follow: true });
      const command = ask(stage, wish, { kind: 'exec', command: script(stage, ECHO) }, 'hello\n');
      const isFollowed = await comesToPass(
        stage,
        () => following.chunks.length > 0 && outputOf(following, 'stdout').includes(prints),
      );
      check('MCO-D-003', isFollowed, `of output that is followed: ${describeStream(following)}`);
      const output = ask(stage, wish, { kind: 'logs' });
      const isWhole = await comesToPass(stage, () => endOf(output)?.reason === 'COMPLETE');
      check('MCO-D-003', isWhole, `of its output so far: ${describeStream(output)}`);
      check('MCO-D-003', outputOf(output, 'stdout').includes(prints), `its output lacks "${prints}"`);
      const isEnded = await comesToPass(stage, () => endOf(command)?.reason === 'EXITED');
      check('MCO-D-003', isEnded, `of a command: ${describeStream(command)}`);
      check('MCO-D-003', endOf(command)?.exitCode === 7, `exit code 7 is told as ${describeStream(command)}`);
      const [said, complained] = [outputOf(command, 'stdout'), outputOf(command, 'stderr')];
      check(
        'MCO-D-003',
        said.includes('hello') && complained.includes('oops'),
        `of its standard input and error came "${said}" and "${complained}"`,
      );
      check(
        'MCO-D-003',
        endOf(following) === undefined,
        `of output that is followed: ${describeStream(following)}`,
      );
      for (const { chunks } of [output, following, command]) {
        const [{ stdout, stderr } = {}] = chunks;
        check('MCO-D-003', (stdout ?? stderr) === undefined, 'a first chunk was not empty');
      }
    },
  },
  {
    id: 'requests-are-for-what-runs-here',
    title:
      'A request for a workload or a copy that is not on the host is refused in the first chunk, with the reason; a command has the context of its function.',
    requirements: ['MCO-D-009'],
    async play(stage, { check }) {
      const wish = await runMarked(stage);
      const shell = script(stage, ECHO);
      const foreign = wishOf(stage.newName(), stage.workload.runs);
      const elsewhere = ask(stage, foreign, { kind: 'exec', command: shell });
      const otherCopy = ask(stage, wish, { kind: 'exec', command: shell, slot: 7 });
      const otherOutput = ask(stage, foreign, { kind: 'logs' });
      const command = ask(stage, wish, { kind: 'exec', command: shell }, 'hello\n');
      for (const [what, stream] of [
        ['a command for a workload that is not there', elsewhere],
        ['a command for a copy that is not there', otherCopy],
        ['the output of a workload that is not there', otherOutput],
      ] as const) {
        await comesToPass(stage, () => stream.chunks.length > 0);
        const end = stream.chunks[0]?.end;
        check('MCO-D-009', end?.reason === 'REFUSED', `${what}: ${describeStream(stream)}`);
        check('MCO-D-009', (end?.detail ?? '') !== '', `${what} is refused without a reason`);
      }
      await comesToPass(stage, () => endOf(command) !== undefined);
      const said = outputOf(command, 'stdout');
      const mark = markOf(wish);
      check(
        'MCO-D-009',
        said.includes(mark),
        `a command does not see the environment of its function: in place of "${mark}" it says "${said.trim()}"`,
      );
    },
  },
  {
    id: 'chunks-keep-their-credit',
    title:
      'While receipts come late and allow little, at most one chunk is on its way, none holds more than the last receipt has allowed, and all output comes in its order.',
    requirements: ['MCO-D-010'],
    async play(stage, { check }) {
      const wish = await runMarked(stage);
      const stream = ask(stage, wish, { kind: 'exec', command: script(stage, COUNT) });
      stream.answerAfterSeconds = 0.3;
      stream.creditBytes = 1000;
      await stage.until('chunks come', () => outputOf(stream, 'stdout').length > 2000);
      stream.creditBytes = 0;
      await stage.sleep(2);
      stream.creditBytes = 40_000;
      await comesToPass(stage, () => endOf(stream) !== undefined);
      check('MCO-D-010', stream.mostOnTheWay <= 1, `${stream.mostOnTheWay} chunks were on their way at once`);
      check('MCO-D-010', stream.excesses.length === 0, stream.excesses.slice(0, 3).join('; '));
      const expected = Array.from({ length: COUNTED }, (_, index) => `${index + 1}\n`).join('');
      const isWhole = outputOf(stream, 'stdout') === expected;
      check('MCO-D-010', isWhole, `the output is not whole, or not in its order; ${describeStream(stream)}`);
    },
  },
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
  {
    id: 'requests-that-cannot-be-read-are-left-alone',
    title:
      'A wanted state with diagnostic requests that the agent cannot read is taken over: what is assigned with it is started.',
    requirements: ['MCO-D-012'],
    async play(stage, { check }) {
      await stage.calm();
      const { ledger } = stage;
      const wish = wishOf(stage.newName(), stage.workload.runs);
      ledger.requests = [
        { streamId: ledger.ids.uuid(), kind: 'x-kit', workload: wish.workload.key, slot: 0 },
        { streamId: ledger.ids.uuid(), kind: 'exec', workload: 'x-kit', 'x-kit': true },
      ];
      stage.assign(wish);
      const isRunning = await comesToPass(stage, () => stage.isRunning(wish));
      check('MCO-D-012', isRunning, `what was assigned with them is ${describe(stage.instanceOf(wish))}`);
    },
  },
  {
    id: 'silent-streams-are-kept-alive',
    title: `Of a command that says nothing a chunk comes at least every ${ALIVE_SECONDS} s.`,
    requirements: ['MCO-D-013'],
    async play(stage, { check }) {
      const wish = await runMarked(stage);
      const stream = ask(stage, wish, { kind: 'exec', command: script(stage, 'echo begun; sleep 60') });
      await stage.until('the command runs', () => outputOf(stream, 'stdout').includes('begun'));
      const from = stream.chunks.length;
      const isAlive = await comesToPass(
        stage,
        () => stream.chunks.length > from,
        ALIVE_SECONDS + LATE_SECONDS,
      );
      check('MCO-D-013', isAlive, `nothing came for ${ALIVE_SECONDS + LATE_SECONDS} s`);
    },
  },
];

/** The workload that runs, with something in its environment that is its own, alone. */
async function runMarked(stage: AgentStage): Promise<AssignmentWish> {
  await stage.calm();
  const { runs } = stage.workload;
  const name = stage.newName();
  const wish = wishOf(name, { ...runs, env: { ...runs.env, [MARK]: `mark-${name}` } });
  stage.assign(wish);
  await stage.until('the workload is reported as RUNNING', () => stage.isRunning(wish));
  return wish;
}

function markOf({ workload }: AssignmentWish): string {
  return workload.spec.env[MARK] ?? '';
}

/** @throws NotApplicable where the host has no shell for it */
function script({ workload: { shell } }: AgentStage, text: string): string[] {
  if (shell !== undefined) return [...shell, text];
  throw new NotApplicable(
    'needs a POSIX shell beside the workload that runs: give it as "shell" in the file of --workload',
  );
}

/** Asks for something of a workload, beside what is asked for already. */
function ask(
  stage: AgentStage,
  { workload: { key } }: AssignmentWish,
  wish: Pick<Request, 'kind'> & Partial<Request>,
  input = '',
): PlayedStream {
  const { ledger } = stage;
  const stream = createPlayedStream(ledger.ids.uuid(), input);
  const request: Request = {
    streamId: stream.streamId,
    workload: key,
    slot: 0,
    maxBytes: MAX_BYTES,
    maxSeconds: 600,
    ...(input === '' ? {} : { hasInput: true }),
    ...wish,
  };
  ledger.streams.set(stream.streamId, stream);
  ledger.requests = [...ledger.requests, request];
  ledger.revision += 1;
  return stream;
}

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
