import { useEffect, useState } from 'preact/hooks';
import type { LogQuery } from '../../src/dashboard/protocol.ts';
import { LogLines } from './log-lines.tsx';
import { type LogReader, openLogReader } from './log-reader.ts';

/** Reads logs as long as the component is shown; another query is another reader. */
export function useLogReader(query: LogQuery): LogReader | undefined {
  const [reader, setReader] = useState<LogReader | undefined>(undefined);
  const key = JSON.stringify(query);
  useEffect(() => {
    const opened = openLogReader(JSON.parse(key));
    setReader(opened);
    return opened.end;
  }, [key]);
  return reader;
}

/** The log of one part, without filters. */
export function LogView({ query, isSmall }: { readonly query: LogQuery; readonly isSmall?: boolean }) {
  const reader = useLogReader(query);
  if (!reader) return null;
  return <LogLines reader={reader} times wrap={false} isPaused={false} isSmall={isSmall} />;
}
