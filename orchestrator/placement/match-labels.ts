/** Whether a label expression of the descriptor language holds. Expressions were checked when the descriptor was onboarded. */
export function matchesText(expression: string, labels: Readonly<Record<string, string>>): boolean {
  return expression.split(/\s+and\s+/).every((clause) => {
    const set = /^(\S+)\s+in\s+\((.*)\)$/.exec(clause);
    if (set?.[1] !== undefined)
      return (set[2] ?? '').split(',').some((value) => value.trim() === labels[set[1] ?? '']);
    const [, key, operator, value] = /^(\S+?)\s*(=|!=|>=)\s*(\S+)$/.exec(clause) ?? [];
    if (key === undefined || value === undefined) return false;
    if (operator === '>=') return Number(labels[key]) >= Number(value);
    return operator === '=' ? labels[key] === value : labels[key] !== value;
  });
}
