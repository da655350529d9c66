import type { Operation } from './documents.ts';

export interface ObservedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed where it is JSON; undefined where it is empty or something else. */
  readonly body: unknown;
}

/** In what an answer differs from its document, in words; empty when it conforms. For tests and the conformance kit. */
export function responseFaults(operation: Operation, response: ObservedResponse): readonly string[] {
  const documented = operation.responses.get(String(response.status)) ?? operation.responses.get('default');
  const name = `${operation.method} ${operation.path} → ${response.status}`;
  if (documented === undefined) return [`${name} is not documented`];
  const faults = documented.requiredHeaders
    .filter((header) => response.headers[header] === undefined)
    .map((header) => `${name}: header ${header} is missing`);
  const mediaType = response.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType === undefined) {
    const isBodyExpected = documented.contents.length > 0;
    return isBodyExpected ? [...faults, `${name}: the body is missing`] : faults;
  }
  const content = documented.contents.find((other) => other.mediaType === mediaType);
  if (content === undefined) return [...faults, `${name}: content type ${mediaType} is not documented`];
  const violation = content.check?.(response.body);
  if (violation !== undefined) faults.push(`${name}: body${violation.pointer} ${violation.text}`);
  return faults;
}
