/**
 * Version 1 of the switches of diagnostics had one time and one user for both kinds: the last change of either, which is said of both, for the kind was not kept.
 * Pure.
 */
export function upcastDiagnostics(document: unknown): unknown {
  const { logs, exec, changedAt, changedBy } = document as Readonly<Record<string, unknown>>;
  const changed = { at: changedAt, by: changedBy };
  return { logs: { isOn: logs, changed }, exec: { isOn: exec, changed } };
}
