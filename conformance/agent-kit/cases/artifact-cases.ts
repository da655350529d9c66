import { randomBytes } from 'node:crypto';
import { comesToPass, describe } from '../observe.ts';
import type { Received } from '../orchestrator-wire.ts';
import type { AgentCase, AgentStage } from '../stage.ts';
import { withFile, wishOf } from '../workload.ts';
import type { AssignmentWish } from '../ledger.ts';

const CUT_AFTER_BYTES = 200_000;
const WATCH_SECONDS = 3;
const BITS_PER_SECOND = 400_000;
/** Of the least time: the first part may come at once. */
const LEAST_SHARE = 0.75;

export const artifactCases: readonly AgentCase[] = [
  {
    id: 'cut-off-transfer-goes-on',
    title: 'A transfer of a file that was cut off goes on where it was cut off.',
    requirements: ['MCO-O-062'],
    async play(stage, { check }) {
      await stage.calm();
      const { wish, file, digest } = assignWithFile(stage);
      stage.ledger.files.set(digest, file);
      let isCut = false;
      stage.played.revise = ({ operation }, right) => {
        if (operation !== 'retrieveArtifact' || isCut || right.type !== 'bytes') return right;
        isCut = true;
        return { ...right, cutAfter: CUT_AFTER_BYTES };
      };
      stage.assign(wish);
      const [, again] = await stage.until('the file is asked for again', () => {
        const asked = askedFor(stage, digest);
        return asked.length > 1 && asked;
      });
      const from = again?.rangeFrom ?? 0;
      check(
        'MCO-O-062',
        from > 0 && from <= CUT_AFTER_BYTES,
        `after about ${CUT_AFTER_BYTES} bytes it was asked for from byte ${from} on`,
      );
      const isRunning = await comesToPass(stage, () => stage.isRunning(wish));
      check('MCO-O-062', isRunning, `its workload is ${describe(stage.instanceOf(wish))}`);
    },
  },
  {
    id: 'file-with-another-digest-is-not-used',
    title: 'A file whose content has another digest than the assignment names is not used.',
    requirements: ['MCO-O-063'],
    async play(stage, { check }) {
      await stage.calm();
      const { wish, file, digest } = assignWithFile(stage);
      const forged = Buffer.from(file);
      randomBytes(16).copy(forged, forged.length - 1000);
      stage.ledger.files.set(digest, forged);
      stage.assign(wish);
      await stage.until('the file is asked for', () => askedFor(stage, digest).length > 0);
      await stage.sleep(WATCH_SECONDS);
      check('MCO-O-063', !stage.isRunning(wish), 'the workload runs with a file that has another digest');
    },
  },
  {
    id: 'file-is-fetched-at-its-pace',
    title: `A file whose reference names ${BITS_PER_SECOND / 1000} kbit/s is fetched no faster than that.`,
    requirements: ['MCO-O-065'],
    async play(stage, { check }) {
      await stage.calm();
      const { wish, file, digest } = assignWithFile(stage, { bitsPerSecond: BITS_PER_SECOND });
      stage.ledger.files.set(digest, file);
      stage.assign(wish);
      const asked = await stage.until('the file is asked for', () => askedFor(stage, digest)[0]);
      await stage.until('its workload runs', () => stage.isRunning(wish), 2 * secondsFor(file));
      const seconds = (stage.clock.monotonic() - asked.at) / 1000;
      const least = secondsFor(file) * LEAST_SHARE;
      check(
        'MCO-O-065',
        seconds >= least,
        `${file.length} bytes were fetched and running after ${seconds.toFixed(2)} s, where that takes ${least.toFixed(2)} s at least`,
      );
    },
  },
];

function secondsFor(file: Buffer): number {
  return (file.length * 8) / BITS_PER_SECOND;
}

function assignWithFile(
  stage: AgentStage,
  limit?: { readonly bitsPerSecond: number },
): {
  readonly wish: AssignmentWish;
  readonly file: Buffer;
  readonly digest: string;
} {
  const { spec, file, digest } = withFile(stage.workload.runs, limit);
  return { wish: wishOf(stage.newName(), spec), file, digest };
}

function askedFor(stage: AgentStage, digest: string): readonly Received[] {
  return stage.since('retrieveArtifact').filter((each) => each.digest === digest);
}
