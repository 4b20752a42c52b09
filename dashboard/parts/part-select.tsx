import { place, setQuery } from '../route.ts';
import { parts } from '../store.ts';

interface PartSelectProps {
  /** The key of the address that holds the chosen name. */
  readonly query: string;
  readonly label: string;
  /** What is shown when none is chosen. */
  readonly none: string;
}

/** Chooses one part by name, or none. */
export function PartSelect({ query, label, none }: PartSelectProps) {
  return (
    <label class="field">
      <span class="sr">{label}</span>
      <select
        value={place.value.query.get(query) ?? ''}
        onChange={({ currentTarget }) => setQuery({ [query]: currentTarget.value })}
      >
        <option value="">{none}</option>
        {parts.value.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
