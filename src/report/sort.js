'use strict';
// Headings become buttons that sort their table. Without this script the table stands as it was written.
for (const table of document.querySelectorAll('table.sortable')) {
  const heads = Array.from(table.tHead.rows[0].cells);
  const body = table.tBodies[0];
  const value = (row, at) => {
    const cell = row.cells[at];
    if (at === 0) return cell.textContent;
    return cell.dataset.value === undefined ? null : BigInt(cell.dataset.value);
  };
  const compare = (one, other) => {
    if (typeof one === 'string') return one.localeCompare(other, undefined, {numeric: true});
    return one < other ? -1 : one > other ? 1 : 0;
  };
  const sort = (head, at) => {
    // Numbers begin with the largest, names with the first.
    const first = at === 0 ? 'ascending' : 'descending';
    const second = at === 0 ? 'descending' : 'ascending';
    const order = head.getAttribute('aria-sort') === first ? second : first;
    for (const each of heads) each.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', order);
    const sign = order === 'ascending' ? 1 : -1;
    const rows = Array.from(body.rows).map((row) => ({row, value: value(row, at)}));
    rows.sort((one, other) => {
      // What is not known comes last either way.
      if (one.value === null || other.value === null) return (one.value === null) - (other.value === null);
      return sign * compare(one.value, other.value);
    });
    body.append(...rows.map((each) => each.row));
  };
  heads.forEach((head, at) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = head.textContent;
    button.addEventListener('click', () => sort(head, at));
    head.replaceChildren(button);
  });
}
