// A table of text cells: headings are buttons that sort, rows can be chosen, and all of it by the keyboard.
// Everything shown comes in as data and goes out as textContent: a model's or an article's name is never markup.
const orders = (globalThis.lvmSortableOrders ||= new Map());

function compare(a, b, descending) {
  if (a === null || b === null) return (a === null) - (b === null); // what was not measured comes last either way
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
  return descending ? -order : order;
}

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

export default function ({ data, parentElement, setStateValue }) {
  const host = parentElement.querySelector(".lvm-sortable");
  const chosen = new Set(data.selected);

  function sorted() {
    const order = orders.get(data.key);
    const place = order ? data.columns.findIndex((column) => column.heading === order.heading) : -1;
    if (place < 0) return data.rows;
    return [...data.rows].sort((a, b) => compare(a.cells[place].order, b.cells[place].order, order.descending));
  }

  function sortBy(column) {
    const order = orders.get(data.key);
    const first = column.first === "descending";
    orders.set(data.key, {
      heading: column.heading,
      descending: order?.heading === column.heading ? !order.descending : first,
    });
    draw();
  }

  function choose(name) {
    chosen.has(name) ? chosen.delete(name) : chosen.add(name);
    draw();
    setStateValue("selected", [...chosen]);
  }

  function head() {
    const row = element("tr");
    if (data.selectable) row.append(element("td", "lvm-pick"));
    const order = orders.get(data.key);
    for (const column of data.columns) {
      const cell = element("th", [column.number ? "lvm-figure" : "", column.pinned ? "lvm-pinned" : ""].join(" "));
      const current = order?.heading === column.heading;
      const button = element("button", "", column.heading);
      button.type = "button";
      button.title = column.meaning;
      button.ariaDescription = column.meaning;
      button.dataset.focus = `head ${column.heading}`;
      button.append(element("span", "lvm-arrow", current ? (order.descending ? "▾" : "▴") : ""));
      button.onclick = () => sortBy(column);
      cell.scope = "col";
      cell.ariaSort = current ? (order.descending ? "descending" : "ascending") : "none";
      cell.append(button);
      row.append(cell);
    }
    const part = element("thead");
    part.append(row);
    return part;
  }

  function line(entry) {
    const row = element("tr", chosen.has(entry.name) ? "lvm-chosen" : "");
    if (data.selectable) {
      const cell = element("td", "lvm-pick");
      const box = element("input");
      box.type = "checkbox";
      box.checked = chosen.has(entry.name);
      box.ariaLabel = entry.name;
      box.dataset.focus = `row ${entry.name}`;
      box.onchange = () => choose(entry.name);
      cell.append(box);
      row.append(cell);
      row.onclick = (event) => {
        if (event.target !== box && !String(getSelection())) choose(entry.name);
      };
    }
    entry.cells.forEach((value, place) => {
      const column = data.columns[place];
      const classes = [column.number ? "lvm-figure" : "", column.pinned ? "lvm-pinned" : "", value.tone || ""];
      row.append(element("td", classes.join(" "), value.text));
    });
    return row;
  }

  function draw() {
    const focus = host.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
    const [left, top] = [host.scrollLeft, host.scrollTop];
    const table = element("table", data.selectable ? "lvm-rows lvm-selectable" : "lvm-rows");
    table.append(element("caption", "lvm-unseen", data.label), head());
    const body = element("tbody");
    body.append(...sorted().map(line));
    table.append(body);
    host.replaceChildren(table);
    host.scrollTo(left, top);
    if (focus) host.querySelector(`[data-focus="${CSS.escape(focus)}"]`)?.focus({ preventScroll: true });
  }

  draw();
}
