import { useState } from 'preact/hooks';
import { announce } from '../announce.ts';

/** A command, and a button that copies it. */
export function Command({ line }: { readonly line: string }) {
  return (
    <span class="command">
      <code>{line}</code>
      <Copy text={line} label="Copy" />
    </span>
  );
}

export function Copy({ text, label }: { readonly text: string | (() => string); readonly label: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === 'string' ? text : text());
    } catch {
      announce('The browser did not allow copying');
      return;
    }
    announce('Copied');
    setCopied(true);
    setTimeout(() => setCopied(false), 1_500);
  };
  return (
    <button type="button" class="small" onClick={() => void copy()}>
      {/* Both words take the same room, so that nothing moves. */}
      <span class={isCopied ? 'hidden' : ''}>{label}</span>
      <span class={isCopied ? 'over' : 'over hidden'}>Copied</span>
    </button>
  );
}
