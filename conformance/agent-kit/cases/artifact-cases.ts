import { randomBytes } from 'node:crypto';
import { MAX_RANGE_BYTES } from '../../nats/document.ts';
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
      const isNats = stage.played.wire.binding === 'nats';
      // Over NATS a file comes in ranges, of which the second one is not answered.
      const cutAfter = isNats ? MAX_RANGE_BYTES : CUT_AFTER_BYTES;
      const { wish, file, digest } = assignWithFile(stage, {}, isNats ? 3 * MAX_RANGE_BYTES : undefined);
      stage.ledger.files.set(digest, file);
      let cut: Received | undefined;
      stage.played.revise = (received, right) => {
        const isToBeCut = !isNats || (received.rangeFrom ?? 0) >= cutAfter;
        if (!isToBeCut || cut !== undefined || right.type !== 'bytes') return right;
        cut = received;
        return isNats ? { type: 'cut' } : { ...right, cutAfter };
      };
      stage.assign(wish);
      const again = await stage.until('the file is asked for again', () => {
        const asked = askedFor(stage, digest);
        return cut !== undefined && asked[asked.indexOf(cut) + 1];
      });
      const from = again.rangeFrom ?? 0;
      check(
        'MCO-O-062',
        from > 0 && from <= cutAfter,
        `after about ${cutAfter} bytes it was asked for from byte ${from} on`,
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
  limit: { readonly bitsPerSecond?: number } = {},
  paddingBytes?: number,
): {
  readonly wish: AssignmentWish;
  readonly file: Buffer;
  readonly digest: string;
} {
  const { spec, file, digest } = withFile(stage.workload.runs, limit, paddingBytes);
  return { wish: wishOf(stage.newName(), spec), file, digest };
}

function askedFor(stage: AgentStage, digest: string): readonly Received[] {
  return stage.since('retrieveArtifact').filter((each) => each.digest === digest);
}
