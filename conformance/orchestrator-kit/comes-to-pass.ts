import type { OrchestratorStage } from './stage.ts';

const LOOK_SECONDS = 0.2;

/** Looks again and again whether it is so, until it is, or so many seconds have passed. */
export async function comesToPass(
  stage: Pick<OrchestratorStage, 'clock' | 'signal' | 'sleep'>,
  look: () => boolean | Promise<boolean>,
  seconds: number,
): Promise<boolean> {
  const end = stage.clock.monotonic() + seconds * 1000;
  for (;;) {
    if (await look()) return true;
    if (stage.clock.monotonic() > end || stage.signal.aborted) return false;
    await stage.sleep(LOOK_SECONDS);
  }
}
