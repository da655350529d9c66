import { NotApplicable, must } from '../../case.ts';
import { comesToPass } from '../comes-to-pass.ts';
import {
  SOON_SECONDS,
  begin,
  closeScene,
  isAsked,
  isOf,
  isWithdrawn,
  openScene,
  outputOf,
  requestOf,
  requestsOf,
  requireRequest,
  send,
  settledRequests,
  type Command,
  type Request,
} from '../diagnostic-scene.ts';
import { told, type Schemas } from '../played-host.ts';
import type { OrchestratorCase } from '../stage.ts';

type Wanted = Schemas['wanted'];

const NEEDS = ['assign', 'unassign', 'diagnostics-on', 'command-begin', 'command-end'] as const;
/** An agent says something in 15 s; a stream of which nothing was heard for three times that ends. */
const SILENT_SECONDS = 45;
/** So long a silent stream goes on at least, and at most. */
const STANDS_SECONDS = 40;
const GONE_SECONDS = SILENT_SECONDS + 10;
/** Streams that are begun at a time, and in all, to find the bound of a host. */
const AT_A_TIME = 4;
const MOST_STREAMS = 40;

export const diagnosticsCases: readonly OrchestratorCase[] = [
  {
    id: 'diagnostic-requests-come-with-the-wanted-state',
    title:
      'A command that an operator begins is in the audit log before it begins, and comes with every wanted state of its host, beside others, until the operator goes away.',
    requirements: ['MCO-D-003', 'MCO-D-004', 'MCO-D-006'],
    needs: [...NEEDS, 'audit'],
    async play(stage, { check }) {
      const scene = await openScene(stage);
      const { host, key } = scene;
      const first = await begin(scene);
      const request = await requestOf(scene, first);
      const isRight =
        request?.kind === 'exec' &&
        request.slot === 0 &&
        request.workload.vnfInstanceId === key.vnfInstanceId;
      check('MCO-D-003', isRight, `what came with the wanted state is ${JSON.stringify(request)}`);
      if (request === undefined) throw new NotApplicable('no request has come with the wanted state');
      const second = await begin(scene);
      await requireRequest(scene, second);
      const audit = await stage.operator.do('audit');
      const isNoted = [host.hostId, first.word, second.word].every((text) => audit.includes(text));
      check('MCO-D-004', isNoted, 'the audit log does not name the host and the words of both commands');
      for (const query of [{}, { full: 'true' }, { since: String(scene.before) }]) {
        const { status, body } = await host.send('getWanted', { query });
        // What changed since then may be forgotten.
        if (status === 410) continue;
        const all = (body as Wanted).diagnosticRequests;
        const isWhole = [first, second].every((each) => all.some((one) => isOf(one, each)));
        check('MCO-D-006', isWhole, `a wanted state names ${all.length} of the 2 requests that stand`);
      }
      await stage.operator.do('command-end', first.name);
      const isGone = await isWithdrawn(scene, first);
      check('MCO-D-006', isGone, 'the request of an operator who went away is not withdrawn');
      check('MCO-D-006', await isAsked(scene, second), 'another request was withdrawn with it');
      await stage.operator.do('command-end', second.name);
      await closeScene(stage, scene);
    },
  },
  {
    id: 'chunks-are-taken-once-and-in-order',
    title:
      'A chunk that comes again is answered as before and shown once, one after a gap with 409 and the number that is expected; one of another host or session, or of a stream that has ended, with 410.',
    requirements: ['MCO-D-007', 'MCO-D-008'],
    needs: [...NEEDS, 'command-output'],
    async play(stage, { check }) {
      const scene = await openScene(stage);
      const { host } = scene;
      const other = await stage.readyHost();
      const command = await begin(scene);
      const { streamId } = await requireRequest(scene, command);
      const stdout = Buffer.from(`${command.word}-shown\n`).toString('base64');
      for (const chunk of [{ number: 1 }, { number: 1 }, { number: 2, stdout }, { number: 2, stdout }]) {
        const answer = await send(host, streamId, chunk);
        const { nextNumber } = (answer.body ?? {}) as Partial<Schemas['stream-receipt']>;
        check(
          'MCO-D-007',
          answer.status === 200 && nextNumber === chunk.number + 1,
          `chunk ${chunk.number}: ${told(answer)}, the next number is ${String(nextNumber)}`,
        );
      }
      const gap = await send(host, streamId, { number: 5 });
      const { expectedSequence } = (gap.body ?? {}) as Partial<Schemas['sequence-problem']>;
      check(
        'MCO-D-007',
        gap.status === 409 && expectedSequence === 3,
        `chunk 5 where 3 is expected: ${told(gap)}, expectedSequence is ${String(expectedSequence)}`,
      );
      const foreign = await send(other, streamId, { number: 3 });
      check('MCO-D-008', foreign.status === 410, `a chunk of the stream of another host: ${told(foreign)}`);
      const last = await send(host, streamId, { number: 3, end: { reason: 'EXITED', exitCode: 0 } });
      check('MCO-D-007', last.status === 200, `the last chunk: ${told(last)}`);
      const shown = await outputOf(stage, command);
      const times = shown.split(`${command.word}-shown`).length - 1;
      check('MCO-D-007', times === 1, `what came once, and once more, was shown ${times} times`);
      const late = await send(host, streamId, { number: 4 });
      check('MCO-D-008', late.status === 410, `a chunk of a stream that has ended: ${told(late)}`);
      const next = await begin(scene);
      const request = await requireRequest(scene, next);
      const begun = await send(host, request.streamId, { number: 1 });
      must(begun.status === 200, `the first chunk of another stream: ${told(begun)}`);
      await host.openSession();
      const moved = await send(host, request.streamId, { number: 2 });
      check('MCO-D-008', moved.status === 410, `a chunk in another session than before: ${told(moved)}`);
      await stage.operator.do('command-end', next.name);
      await closeScene(stage, scene);
    },
  },
  {
    id: 'silent-streams-are-ended',
    title: `A stream of which nothing is heard for ${SILENT_SECONDS} s is ended, and not long before.`,
    requirements: ['MCO-D-013'],
    needs: NEEDS,
    isWaiting: true,
    leastTimeoutSeconds: 2 * GONE_SECONDS,
    async play(stage, { check }) {
      const scene = await openScene(stage);
      const { host } = scene;
      const command = await begin(scene);
      const { streamId } = await requireRequest(scene, command);
      const heardAt = stage.clock.monotonic();
      const first = await send(host, streamId, { number: 1 });
      must(first.status === 200, `the first chunk: ${told(first)}`);
      const secondsOf = (): number => (stage.clock.monotonic() - heardAt) / 1000;
      const isGone = await isWithdrawn(scene, command, GONE_SECONDS);
      const seconds = secondsOf();
      check('MCO-D-013', isGone, `it stood still after ${seconds.toFixed(0)} s of silence`);
      check('MCO-D-013', seconds > STANDS_SECONDS, `it was ended after ${seconds.toFixed(0)} s of silence`);
      if (isGone) {
        const late = await send(host, streamId, { number: 2 });
        check('MCO-D-013', late.status === 410, `a chunk after that: ${told(late)}`);
      }
      await stage.operator.do('command-end', command.name);
      await closeScene(stage, scene);
    },
  },
  {
    id: 'streams-of-a-host-are-bounded',
    title: `Of ${MOST_STREAMS} commands beside a function not all come to its host; one that nobody reads any more, and all once diagnostics are switched off, are ended.`,
    requirements: ['MCO-D-014'],
    needs: [...NEEDS, 'diagnostics-off'],
    leastTimeoutSeconds: 120,
    async play(stage, { check }) {
      const scene = await openScene(stage);
      const { host } = scene;
      const commands: Command[] = [];
      let standing: readonly Request[] = [];
      while (commands.length < MOST_STREAMS && standing.length === commands.length) {
        const more = await Promise.all(Array.from({ length: AT_A_TIME }, () => begin(scene)));
        commands.push(...more);
        standing = await settledRequests(scene, commands.length);
        // Taken up, so that none is ended since nothing was heard of it.
        for (const { streamId } of standing) await send(host, streamId, { number: 1 });
      }
      const count = standing.length;
      if (count === 0) throw new NotApplicable('no request has come with the wanted state');
      check('MCO-D-014', count < commands.length, `${count} streams were open at one host`);
      const [left, kept] = commands.filter((each) => standing.some((one) => isOf(one, each)));
      await stage.operator.do('command-end', left?.name ?? '');
      const isGone = left !== undefined && (await isWithdrawn(scene, left));
      check('MCO-D-014', isGone, 'a stream that nobody reads any more goes on');
      await stage.operator.do('diagnostics-off');
      const isOff = await comesToPass(stage, async () => (await requestsOf(host)).length === 0, SOON_SECONDS);
      check('MCO-D-014', isOff, 'streams go on though diagnostics are switched off');
      const last = standing.find((one) => kept !== undefined && isOf(one, kept));
      const late = await send(host, last?.streamId ?? '', { number: 2 });
      check('MCO-D-014', late.status === 410, `a chunk after that: ${told(late)}`);
      await Promise.all(commands.map(({ name }) => stage.operator.do('command-end', name)));
      await closeScene(stage, scene);
    },
  },
];
