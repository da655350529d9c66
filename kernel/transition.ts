import { IotmanoError } from './errors.ts';

/** state → event → next state. What is not in the table is refused. */
export type TransitionTable<State extends string, Event extends string> = {
  readonly [S in State]: { readonly [E in Event]?: State };
};

/**
 * The next state, by the table.
 * @param what the thing whose state it is, for the message
 * @throws IotmanoError `illegal-transition`, naming what is possible instead
 */
export function transition<State extends string, Event extends string>(
  table: TransitionTable<State, Event>,
  state: State,
  event: Event,
  what: string,
): State {
  const next = table[state][event];
  if (next === undefined) {
    const possible = Object.keys(table[state]).join(', ') || 'nothing';
    throw new IotmanoError(
      'illegal-transition',
      `${what} is ${state}, which does not allow "${event}"; possible now: ${possible}`,
      { state, event },
    );
  }
  return next;
}

/** Whether the table allows the event in the state. */
export function canTransition<State extends string, Event extends string>(
  table: TransitionTable<State, Event>,
  state: State,
  event: Event,
): boolean {
  return table[state][event] !== undefined;
}
