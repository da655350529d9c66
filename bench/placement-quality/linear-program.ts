/** A sum of variables, each with its factor. */
export type Terms = readonly (readonly [variable: string, factor: number])[];

/** A mixed-integer program, written row by row into the LP format that HiGHS reads. All variables are at least 0. */
export class LinearProgram {
  readonly #objective = new Map<string, number>();
  readonly #rows: string[] = [];
  readonly #most = new Map<string, number>();
  readonly #whole = new Set<string>();

  /** A variable; with `most` it has an upper bound. */
  variable(
    name: string,
    { most, isWhole = false }: { readonly most?: number; readonly isWhole?: boolean } = {},
  ): string {
    if (most !== undefined) this.#most.set(name, most);
    if (isWhole) this.#whole.add(name);
    return name;
  }

  /** What the objective, which is maximised, gains by a variable. */
  reward(variable: string, factor: number): void {
    if (factor !== 0) this.#objective.set(variable, (this.#objective.get(variable) ?? 0) + factor);
  }

  require(terms: Terms, relation: '<=' | '>=' | '=', bound: number): void {
    const merged = new Map<string, number>();
    for (const [variable, factor] of terms) merged.set(variable, (merged.get(variable) ?? 0) + factor);
    // A row without variables has to hold by itself: a variable that is always 0 says whether it does.
    if (merged.size === 0) merged.set(this.variable('nothing', { most: 0 }), 1);
    this.#rows.push(` r${this.#rows.length}: ${sum(merged)} ${relation} ${bound}`);
  }

  toString(): string {
    const bounds = [...this.#most].map(([name, most]) => ` 0 <= ${name} <= ${most}`);
    const objective =
      this.#objective.size === 0 ? ` 0 ${this.variable('nothing', { most: 0 })}` : ` ${sum(this.#objective)}`;
    return [
      'Maximize',
      ` score: ${objective.trim()}`,
      'Subject To',
      ...this.#rows,
      'Bounds',
      ...bounds,
      'Generals',
      ` ${[...this.#whole].join('\n ')}`,
      'End',
    ].join('\n');
  }
}

function sum(terms: ReadonlyMap<string, number>): string {
  const text = [...terms].map(
    ([variable, factor]) => `${factor < 0 ? '-' : '+'} ${Math.abs(factor)} ${variable}`,
  );
  return text.join('\n  ');
}
