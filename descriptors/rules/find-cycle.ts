/** The names along one cycle, the first one repeated at the end; nothing where there is none. */
export function findCycle(edges: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  for (const start of edges.keys()) {
    const cycle = visit(start, edges, done, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function visit(
  name: string,
  edges: ReadonlyMap<string, readonly string[]>,
  done: Set<string>,
  path: readonly string[],
): readonly string[] | undefined {
  const index = path.indexOf(name);
  if (index !== -1) return [...path.slice(index), name];
  if (done.has(name)) return undefined;
  for (const next of edges.get(name) ?? []) {
    const cycle = visit(next, edges, done, [...path, name]);
    if (cycle !== undefined) return cycle;
  }
  done.add(name);
  return undefined;
}
