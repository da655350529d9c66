import { MARK, ask, markOf, runMarked, script } from '../diagnostic-requests.ts';
import { comesToPass, describe } from '../observe.ts';
import { describeStream, endOf, outputOf } from '../played-streams.ts';
import type { AgentCase } from '../stage.ts';
import { wishOf } from '../workload.ts';

/** A chunk at least so often. */
const ALIVE_SECONDS = 15;
const LATE_SECONDS = 1;
const ECHO = `read -r line; echo "$${MARK} $line"; echo oops >&2; exit 7`;
const COUNTED = 20_000;
const COUNT = `i=0; while [ $i -lt ${COUNTED} ]; do i=$((i+1)); echo $i; done`;

/** What comes of what operators ask for. */
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
