/** One long poll at a time for each session: whoever asks again has lost the connection of the poll before. */
export interface Polls {
  /** Ends the poll before, if there is one. */
  begin(session: string): { readonly superseded: AbortSignal; end(): void };
}

export function createPolls(): Polls {
  const current = new Map<string, AbortController>();
  return {
    begin: (session) => {
      const controller = new AbortController();
      current.get(session)?.abort();
      current.set(session, controller);
      return {
        superseded: controller.signal,
        end: () => {
          if (current.get(session) === controller) current.delete(session);
        },
      };
    },
  };
}
