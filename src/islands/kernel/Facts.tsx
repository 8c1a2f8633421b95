/** What is known of a kernel, in tables. */
import type { Opened } from './protocol.ts';

export function Facts({ kernel }: { readonly kernel: Opened }) {
  return (
    <div class="about">
      <table>
        <caption class="vh">What this kernel is</caption>
        <tbody>
          {kernel.facts.map(([name, text]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {kernel.tables.map(({ title, columns, rows }) => (
        <details key={title} open={title === 'IST'}>
          <summary>
            {title} <span class="dim">({rows.length})</span>
          </summary>
          <table>
            <thead>
              <tr>
                {columns.map((one) => (
                  <th key={one} scope="col">
                    {one}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.join()}>
                  {row.map((text, n) =>
                    n === 0 ? (
                      <th key={columns[n]} scope="row">
                        {text}
                      </th>
                    ) : (
                      <td key={columns[n]}>{text}</td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      ))}
    </div>
  );
}
