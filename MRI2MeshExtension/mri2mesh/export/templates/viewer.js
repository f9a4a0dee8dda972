// The interactive view of a report: surfaces, coloured by structure, uncertainty or support, and lines of measures.
// Parallel projection; millimetres in patient axes RAS. Without WebGL the page keeps its pictures.
(function () {
  "use strict";
  const holder = document.getElementById("view3d");
  const data = JSON.parse(document.getElementById("view3d-data").textContent);
  const canvas = holder.querySelector("canvas");
  const note = holder.querySelector(".note");
  const gl = canvas.getContext("webgl", { antialias: true, preserveDrawingBuffer: true });
  if (!gl) {
    holder.classList.add("off");
    note.textContent = "This browser shows no WebGL: see the pictures instead.";
    return;
  }

  const VERTEX = `
    attribute vec3 place; attribute vec3 normal; attribute float value;
    uniform mat3 turn; uniform vec3 centre; uniform vec3 scale; uniform vec2 shift;
    varying vec3 facing; varying float shade;
    void main() {
      vec3 seen = turn * (place - centre);
      facing = turn * normal; shade = value;
      gl_Position = vec4(seen.xy * scale.xy + shift, -seen.z * scale.z, 1.0);
    }`;
  const FRAGMENT = `
    precision mediump float;
    uniform vec3 colour; uniform float ramp; uniform float plain;
    varying vec3 facing; varying float shade;
    vec3 between(float t) {
      vec3 a = vec3(0.267, 0.004, 0.329), b = vec3(0.231, 0.322, 0.545), c = vec3(0.129, 0.569, 0.549);
      vec3 d = vec3(0.369, 0.788, 0.384), e = vec3(0.992, 0.906, 0.145);
      if (t < 0.25) return mix(a, b, t * 4.0);
      if (t < 0.5) return mix(b, c, t * 4.0 - 1.0);
      if (t < 0.75) return mix(c, d, t * 4.0 - 2.0);
      return mix(d, e, t * 4.0 - 3.0);
    }
    void main() {
      vec3 own = mix(colour, between(clamp(shade, 0.0, 1.0)), ramp);
      float light = abs(dot(normalize(facing), normalize(vec3(-0.35, 0.45, 0.82))));
      gl_FragColor = vec4(mix(own * (0.3 + 0.7 * light), own, plain), 1.0);
    }`;

  function compiled(kind, text) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
    return shader;
  }
  const program = gl.createProgram();
  gl.attachShader(program, compiled(gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compiled(gl.FRAGMENT_SHADER, FRAGMENT));
  gl.linkProgram(program);
  gl.useProgram(program);
  const at = {};
  for (const name of ["turn", "centre", "scale", "shift", "colour", "ramp", "plain"]) {
    at[name] = gl.getUniformLocation(program, name);
  }
  const attributes = {};
  for (const name of ["place", "normal", "value"]) attributes[name] = gl.getAttribLocation(program, name);

  function bytes(text) {
    const raw = atob(text), found = new Uint8Array(raw.length);
    for (let n = 0; n < raw.length; n++) found[n] = raw.charCodeAt(n);
    return found;
  }
  function words(text) {
    const raw = bytes(text), found = new Uint16Array(raw.length / 2);
    for (let n = 0; n < found.length; n++) found[n] = raw[2 * n] | (raw[2 * n + 1] << 8);
    return found;
  }
  function buffer(target, values) {
    const made = gl.createBuffer();
    gl.bindBuffer(target, made);
    gl.bufferData(target, values, gl.STATIC_DRAW);
    return made;
  }
  function normals(places, faces) {
    const found = new Float32Array(places.length);
    for (let f = 0; f < faces.length; f += 3) {
      const [a, b, c] = [3 * faces[f], 3 * faces[f + 1], 3 * faces[f + 2]];
      const u = [0, 1, 2].map((n) => places[b + n] - places[a + n]);
      const v = [0, 1, 2].map((n) => places[c + n] - places[a + n]);
      const w = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
      for (const corner of [a, b, c]) for (let n = 0; n < 3; n++) found[corner + n] += w[n];
    }
    return found;
  }

  const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
  const surfaces = data.structures.map(function (one) {
    const steps = words(one.positions), faces = words(one.faces);
    const places = new Float32Array(steps.length), middle = [0, 0, 0];
    for (let n = 0; n < steps.length; n++) {
      const axis = n % 3;
      places[n] = data.origin[axis] + data.step * steps[n];
      low[axis] = Math.min(low[axis], places[n]);
      high[axis] = Math.max(high[axis], places[n]);
      middle[axis] += places[n] / (steps.length / 3);
    }
    const share = (text) => buffer(gl.ARRAY_BUFFER, Float32Array.from(bytes(text), (value) => value / 255));
    return {
      name: one.name, colour: one.colour, shown: true, middle: middle, count: faces.length,
      places: buffer(gl.ARRAY_BUFFER, places), normals: buffer(gl.ARRAY_BUFFER, normals(places, faces)),
      faces: buffer(gl.ELEMENT_ARRAY_BUFFER, faces),
      uncertainty: share(one.uncertainty), support: share(one.support),
    };
  });
  const centre = [0, 1, 2].map((n) => (low[n] + high[n]) / 2);
  const radius = Math.hypot(...[0, 1, 2].map((n) => high[n] - low[n])) / 2 || 1;

  // Rows: what is to the right, up and towards the viewer.
  const VIEWS = {
    front: [-1, 0, 0, 0, 0, 1, 0, 1, 0], back: [1, 0, 0, 0, 0, 1, 0, -1, 0],
    left: [0, -1, 0, 0, 0, 1, -1, 0, 0], right: [0, 1, 0, 0, 0, 1, 1, 0, 0],
    below: [-1, 0, 0, 0, 1, 0, 0, 0, -1],
  };
  const state = { turn: VIEWS.front.slice(), zoom: 1, shift: [0, 0], by: "structure", measure: -1 };
  let drawn = 0;

  function times(a, b) {
    const found = new Array(9).fill(0);
    for (let r = 0; r < 3; r++) for (let c = 0; c < 3; c++) for (let n = 0; n < 3; n++) found[3 * r + c] += a[3 * r + n] * b[3 * n + c];
    return found;
  }
  function turned(across, along) {
    const [a, b] = [Math.cos(across), Math.sin(across)], [c, d] = [Math.cos(along), Math.sin(along)];
    state.turn = times([1, 0, 0, 0, c, -d, 0, d, c], times([a, 0, b, 0, 1, 0, -b, 0, a], state.turn));
  }
  function seen(point) {
    const local = [0, 1, 2].map((n) => point[n] - centre[n]);
    return [0, 1, 2].map((r) => state.turn[3 * r] * local[0] + state.turn[3 * r + 1] * local[1] + state.turn[3 * r + 2] * local[2]);
  }
  function scales() {
    const size = (state.zoom * Math.min(canvas.width, canvas.height)) / radius;
    return [size / canvas.width, size / canvas.height, 0.4 / radius];
  }

  const letters = {};
  for (const letter of ["R", "L", "A", "P", "S", "I"]) {
    letters[letter] = holder.querySelector(".stage").appendChild(document.createElement("span"));
    letters[letter].textContent = letter;
    letters[letter].className = "letter";
  }
  const names = surfaces.map(function (one) {
    const label = holder.querySelector(".stage").appendChild(document.createElement("span"));
    label.textContent = one.name;
    label.className = "name";
    return label;
  });
  function put(label, point, far) {
    const [sx, sy] = scales(), [x, y] = seen(point);
    label.style.left = 50 + 50 * (x * sx + state.shift[0]) + "%";
    label.style.top = 50 - 50 * (y * sy + state.shift[1]) + "%";
    label.style.opacity = far;
  }
  function letter(axis, plus, minus) {
    for (const [name, sign] of [[plus, 1], [minus, -1]]) {
      const end = centre.slice();
      end[axis] += sign * ((high[axis] - low[axis]) / 2 + 0.07 * radius);
      const towards = Math.abs(state.turn[6 + axis]);
      put(letters[name], end, towards > 0.8 ? 0 : 1);
    }
  }

  function attribute(name, made, size) {
    gl.bindBuffer(gl.ARRAY_BUFFER, made);
    gl.enableVertexAttribArray(attributes[name]);
    gl.vertexAttribPointer(attributes[name], size, gl.FLOAT, false, 0, 0);
  }
  function draw() {
    drawn = 0;
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(canvas.clientHeight * ratio);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(1, 1, 1, 1);
    gl.enable(gl.DEPTH_TEST);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    const t = state.turn;
    gl.uniformMatrix3fv(at.turn, false, [t[0], t[3], t[6], t[1], t[4], t[7], t[2], t[5], t[8]]);
    gl.uniform3fv(at.centre, centre);
    gl.uniform3fv(at.scale, scales());
    gl.uniform2fv(at.shift, state.shift);
    gl.uniform1f(at.plain, 0);
    gl.uniform1f(at.ramp, state.by === "structure" ? 0 : 1);
    surfaces.forEach(function (one, n) {
      names[n].style.display = one.shown ? "" : "none";
      put(names[n], one.middle, 1);
      if (!one.shown) return;
      gl.uniform3fv(at.colour, one.colour);
      attribute("place", one.places, 3);
      attribute("normal", one.normals, 3);
      attribute("value", state.by === "support" ? one.support : one.uncertainty, 1);
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, one.faces);
      gl.drawElements(gl.TRIANGLES, one.count, gl.UNSIGNED_SHORT, 0);
    });
    if (state.measure >= 0) measured(data.measures[state.measure]);
    letter(0, "R", "L");
    letter(1, "A", "P");
    letter(2, "S", "I");
  }
  function measured(lines) {
    gl.disable(gl.DEPTH_TEST);
    gl.uniform1f(at.plain, 1);
    gl.uniform1f(at.ramp, 0);
    gl.uniform3fv(at.colour, [1, 0.27, 0]);
    for (const line of lines) {
      const places = buffer(gl.ARRAY_BUFFER, Float32Array.from(line.flat()));
      attribute("place", places, 3);
      gl.disableVertexAttribArray(attributes.normal);
      gl.vertexAttrib3f(attributes.normal, 0, 0, 1);
      gl.disableVertexAttribArray(attributes.value);
      for (const [x, y] of [[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, -1]]) {
        gl.uniform2fv(at.shift, [state.shift[0] + (2 * x) / canvas.width, state.shift[1] + (2 * y) / canvas.height]);
        gl.drawArrays(gl.LINE_STRIP, 0, line.length);
      }
      gl.deleteBuffer(places);
    }
  }
  function again() {
    if (!drawn) drawn = requestAnimationFrame(draw);
  }

  const held = new Map();
  let apart = 0;
  canvas.addEventListener("pointerdown", function (event) {
    held.set(event.pointerId, [event.clientX, event.clientY]);
    if (event.isTrusted) canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", function (event) {
    const before = held.get(event.pointerId);
    if (!before) return;
    const [dx, dy] = [event.clientX - before[0], event.clientY - before[1]];
    held.set(event.pointerId, [event.clientX, event.clientY]);
    if (held.size === 2) {
      const [a, b] = [...held.values()], now = Math.hypot(a[0] - b[0], a[1] - b[1]);
      if (apart) state.zoom = Math.min(20, Math.max(0.3, (state.zoom * now) / apart));
      apart = now;
    } else if (event.shiftKey || event.buttons === 4) {
      state.shift = [state.shift[0] + (2 * dx) / canvas.clientWidth, state.shift[1] - (2 * dy) / canvas.clientHeight];
    } else {
      turned(dx / 120, dy / 120);
    }
    again();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, function (event) {
      held.delete(event.pointerId);
      apart = 0;
    });
  }
  canvas.addEventListener("wheel", function (event) {
    event.preventDefault();
    state.zoom = Math.min(20, Math.max(0.3, state.zoom * Math.exp(-event.deltaY / 600)));
    again();
  }, { passive: false });

  function look(name) {
    state.turn = VIEWS[name].slice();
    state.zoom = 1;
    state.shift = [0, 0];
    again();
  }
  function colourBy(name) {
    state.by = name;
    for (const legend of holder.querySelectorAll("[data-legend]")) legend.hidden = legend.dataset.legend !== name;
    for (const button of holder.querySelectorAll("[data-by]")) button.setAttribute("aria-pressed", String(button.dataset.by === name));
    again();
  }
  for (const button of holder.querySelectorAll("[data-look]")) button.addEventListener("click", () => look(button.dataset.look));
  for (const button of holder.querySelectorAll("[data-by]")) button.addEventListener("click", () => colourBy(button.dataset.by));
  for (const box of holder.querySelectorAll("[data-structure]")) {
    box.addEventListener("change", function () {
      surfaces[Number(box.dataset.structure)].shown = box.checked;
      again();
    });
  }
  holder.querySelector("[data-names]").addEventListener("change", function (event) {
    holder.classList.toggle("nameless", !event.target.checked);
  });
  for (const button of document.querySelectorAll("[data-measure]")) {
    button.addEventListener("click", function () {
      const number = Number(button.dataset.measure);
      state.measure = state.measure === number ? -1 : number;
      for (const other of document.querySelectorAll("[data-measure]")) {
        other.setAttribute("aria-pressed", String(Number(other.dataset.measure) === state.measure));
      }
      note.textContent = state.measure < 0 ? "" : button.title;
      if (state.measure >= 0) holder.scrollIntoView({ block: "nearest" });
      again();
    });
  }
  window.addEventListener("resize", again);
  window.report3d = { state: state, surfaces: surfaces, draw: draw };
  look(holder.dataset.first);
  colourBy("structure");
})();
