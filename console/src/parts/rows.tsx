import type { ReactNode } from 'react';

interface Column {
  readonly title: string;
  /** Left out where there is little room; its cells have the class `hide-narrow` then. */
  readonly hideNarrow?: boolean;
  /** For those who hear the page only. */
  readonly isSilent?: boolean;
}

/** A table. @param columns by their titles; none: it has no head */
export function Rows({ columns = [], children }: { columns?: readonly (string | Column)[]; children: ReactNode }) {
  const heads = columns.map((column): Column => (typeof column === 'string' ? { title: column } : column));
  return (
    <div className="table-box">
      <table className="rows">
        {heads.length > 0 && (
          <thead>
            <tr>
              {heads.map(({ title, hideNarrow, isSilent }) => (
                <th key={title} scope="col" className={hideNarrow ? 'hide-narrow' : undefined}>
                  {isSilent ? <span className="skip">{title}</span> : title}
                </th>
              ))}
            </tr>
          </thead>
        )}
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
