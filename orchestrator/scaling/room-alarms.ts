import type { VnfInstanceId } from '../../kernel/index.ts';
import { NO_ROOM, type StepAlarms } from './take-step.ts';
import type { WatchedAspect } from './watched-aspect.ts';

/** The alarms of functions whose steps found no room: they stand as long as one of the function's aspects waits for room, and no longer. */
export interface RoomAlarms extends StepAlarms {
  /** After a look at the function, or a change of it, or its end. Costs nothing where no alarm stands. */
  settle(vnfInstanceId: VnfInstanceId, aspects: readonly WatchedAspect[]): void;
  /** Functions of which one stands. */
  functions(): readonly VnfInstanceId[];
}

/** What an earlier leader has raised is taken over. */
export function createRoomAlarms(alarms: StepAlarms): RoomAlarms {
  const raised = new Set(
    alarms
      .standing()
      .filter(({ name }) => name === NO_ROOM)
      .map(({ vnfInstanceId }) => vnfInstanceId),
  );
  return {
    ...alarms,
    raise: (alarm) => {
      raised.add(alarm.vnfInstanceId);
      alarms.raise(alarm);
    },
    settle: (vnfInstanceId, aspects) => {
      // An aspect that has not been looked at yet may be the one that waits.
      if (!raised.has(vnfInstanceId) || aspects.some(({ isSettled }) => !isSettled)) return;
      raised.delete(vnfInstanceId);
      alarms.clear(vnfInstanceId, [NO_ROOM], aspects.length === 0 ? NOTHING_SCALES_IT : undefined);
    },
    functions: () => [...raised],
  };
}

const NOTHING_SCALES_IT = 'nothing scales the function automatically any more';
