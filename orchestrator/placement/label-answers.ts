import type { VnfInstanceId } from '../../kernel/index.ts';
import { functionMatcher } from './function-matcher.ts';
import type { Affinity } from './types.ts';

type Labels = Readonly<Record<string, string>>;

/** A function that is to be apart from another one, in a scope. */
export interface Wary {
  readonly id: VnfInstanceId;
  readonly scope: string;
}

interface KeyedWary extends Wary {
  readonly expression: string;
}

export function isHardApart({ type, weight }: Affinity): boolean {
  return type === 'apart' && weight === undefined;
}

/**
 * Which functions satisfy an expression, and which are apart from what has certain labels. Holds for as long as no function comes, goes, or is another than it
 * was. Most expressions want one value of one label: only functions with that value are asked.
 */
export class LabelAnswers {
  readonly #functions: ReadonlyMap<VnfInstanceId, { readonly labels: Labels }>;
  readonly #wary: ReadonlyMap<VnfInstanceId, readonly Affinity[]>;
  readonly #matching = new Map<string, readonly VnfInstanceId[]>();
  readonly #waryOf = new WeakMap<Labels, readonly Wary[]>();
  /** Functions by label and value, of the labels that were asked for. */
  readonly #byLabel = new Map<string, ReadonlyMap<string, readonly VnfInstanceId[]>>();
  /** Those that want one value of one label, by these; the others by ''. */
  #waryByLabel: ReadonlyMap<string, ReadonlyMap<string, readonly KeyedWary[]>> | undefined;

  /** @param wary what functions are hard apart from */
  constructor(
    functions: ReadonlyMap<VnfInstanceId, { readonly labels: Labels }>,
    wary: ReadonlyMap<VnfInstanceId, readonly Affinity[]>,
  ) {
    this.#functions = functions;
    this.#wary = wary;
  }

  matching(expression: string): readonly VnfInstanceId[] {
    const known = this.#matching.get(expression);
    if (known !== undefined) return known;
    const { matches, key } = functionMatcher(expression);
    const asked = key === undefined ? this.#functions.keys() : this.#having(key.label, key.value);
    const matching = [...asked].filter((id) => matches(this.#functions.get(id)?.labels ?? {}));
    this.#matching.set(expression, matching);
    return matching;
  }

  waryOf(labels: Labels): readonly Wary[] {
    const known = this.#waryOf.get(labels);
    if (known !== undefined) return known;
    this.#waryByLabel ??= groupByKey(this.#wary);
    const asked = [...this.#waryByLabel].flatMap(([label, byValue]) =>
      label === '' ? (byValue.get('') ?? []) : (byValue.get(labels[label] ?? '') ?? []),
    );
    const wary = asked.filter(({ expression }) => functionMatcher(expression).matches(labels));
    this.#waryOf.set(labels, wary);
    return wary;
  }

  #having(label: string, value: string): readonly VnfInstanceId[] {
    const known = this.#byLabel.get(label) ?? this.#groupByValue(label);
    this.#byLabel.set(label, known);
    return known.get(value) ?? [];
  }

  #groupByValue(label: string): ReadonlyMap<string, readonly VnfInstanceId[]> {
    const ids = [...this.#functions.keys()];
    return Map.groupBy(ids, (id) => this.#functions.get(id)?.labels[label] ?? '');
  }
}

function groupByKey(
  wary: ReadonlyMap<VnfInstanceId, readonly Affinity[]>,
): ReadonlyMap<string, ReadonlyMap<string, readonly KeyedWary[]>> {
  const all = [...wary].flatMap(([id, affinities]) =>
    affinities.map(({ with: expression, scope }) => ({
      id,
      scope,
      expression,
      key: functionMatcher(expression).key,
    })),
  );
  const byLabel = Map.groupBy(all, ({ key }) => key?.label ?? '');
  return new Map(
    [...byLabel].map(([label, same]) => [label, Map.groupBy(same, ({ key }) => key?.value ?? '')]),
  );
}
