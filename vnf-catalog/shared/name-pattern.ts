/**
 * Whether a name matches a pattern in which `*` stands for any characters. Takes time in proportion to the two lengths at
 * worst multiplied, whatever the pattern: devices write such patterns into access control policies.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return pattern === name;
  if (name.length < head.length + tail.length || !name.startsWith(head) || !name.endsWith(tail)) return false;
  // Each part at its first place after the one before leaves most room to those that follow.
  let from = head.length;
  for (const part of rest) {
    const at = name.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= name.length - tail.length;
}
