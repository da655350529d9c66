/** One long poll at a time for each session: whoever asks again has lost the connection of the poll before. */
export interface Polls {
  /** Ends the poll before, if there is one. */
  begin(session: string): OpenPoll;
}

export interface OpenPoll {
  readonly isSuperseded: boolean;
  /** Called when the poll is superseded; one at a time. */
  onSuperseded: (() => void) | undefined;
  end(): void;
}

export function createPolls(): Polls {
  const current = new Map<string, { isSuperseded: boolean; onSuperseded: (() => void) | undefined }>();
  return {
    begin: (session) => {
      const before = current.get(session);
      if (before !== undefined) {
        before.isSuperseded = true;
        before.onSuperseded?.();
      }
      const poll: OpenPoll & { isSuperseded: boolean } = {
        isSuperseded: false,
        onSuperseded: undefined,
        end: () => {
          if (current.get(session) === poll) current.delete(session);
        },
      };
      current.set(session, poll);
      return poll;
    },
  };
}
