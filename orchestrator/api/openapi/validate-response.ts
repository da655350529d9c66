import type { DocumentedContent, Operation } from './documents.ts';

export interface ObservedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Parsed where it is JSON; text where it is lines of JSON or server-sent events; undefined where it is empty. */
  readonly body: unknown;
}

/** In what an answer differs from its document, in words; empty when it conforms and describes all that it holds. For tests. */
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
  return [
    ...faults,
    ...documentsIn(response, mediaType).flatMap((each) => contentFaults(content, name, each)),
  ];
}

function contentFaults(
  { check, undescribed }: DocumentedContent,
  name: string,
  value: unknown,
): readonly string[] {
  const violation = check?.(value);
  const surplus = undescribed?.(value) ?? [];
  return [
    ...(violation === undefined ? [] : [`${name}: body${violation.pointer} ${violation.text}`]),
    ...surplus.map((pointer) => `${name}: body${pointer} is described by no property of its schema`),
  ];
}

/** What the schema is of: the body, each line of a stream of lines, or the data of each event of a stream that has no type of its own. */
function documentsIn({ body }: ObservedResponse, mediaType: string): readonly unknown[] {
  if (typeof body !== 'string') return [body];
  if (mediaType === 'application/x-ndjson') return parsedLines(body);
  if (mediaType !== 'text/event-stream') return [body];
  const events = body.split('\n\n').filter((event) => !/^event:/m.test(event));
  return events.flatMap((event) => {
    const data = /^data: (.*)$/m.exec(event)?.[1];
    return data === undefined ? [] : [JSON.parse(data) as unknown];
  });
}

function parsedLines(text: string): readonly unknown[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}
