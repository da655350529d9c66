import type { Json, Meddle, Passed, Passing } from './meddling-proxy.ts';

/** Headers of an answer of the kit. */
export const ENVELOPE = {
  'mco-version': '1.0',
  'mco-sp-id': '//conformance.example',
  'content-type': 'application/json',
};

/** As the kit would answer. */
export function receiptFor({ headers }: Passing): Passed {
  return {
    status: 200,
    headers: ENVELOPE,
    body: { nextSequence: Number(headers['mco-sequence']) + 1, ignored: 0 },
  };
}

/** Changes what the agent says in one operation. */
export function saying(
  what: string,
  revise: (body: NonNullable<Json>, passing: Passing) => NonNullable<Json>,
): () => Meddle {
  return () => (passing, forward) =>
    forward(
      passing.what === what && passing.body !== undefined ? { body: revise(passing.body, passing) } : {},
    );
}

/** Changes what the agent understands of the answer to one operation. */
export function hearing(what: string, revise: (body: NonNullable<Json>) => NonNullable<Json>): () => Meddle {
  return () => async (passing, forward) => {
    const passed = await forward();
    return passing.what === what && passed.status === 200 && passed.body !== undefined
      ? { ...passed, body: revise(passed.body) }
      : passed;
  };
}

export type Assignment = Readonly<Record<string, unknown>> & {
  readonly workload: Readonly<Record<string, unknown>>;
};

export function assignmentsOf(body: NonNullable<Json>): readonly Assignment[] {
  return (body['assignments'] ?? []) as readonly Assignment[];
}

export function withSpec(assignment: Assignment, more: object): Assignment {
  const { workload } = assignment;
  return { ...assignment, workload: { ...workload, spec: { ...(workload['spec'] as object), ...more } } };
}
