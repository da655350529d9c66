/** Runs work once all that came before it has ended, however that was, and gives what it gives. */
export type InTurn = <Value>(work: () => Value | Promise<Value>) => Promise<Value>;

/** One piece of work after the other, in the order in which it comes. */
export function createTurns(): InTurn {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const own = last.then(work);
    last = own.catch(() => undefined);
    return own;
  };
}
