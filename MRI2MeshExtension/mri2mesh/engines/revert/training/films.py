"""Lumbar films made all along for training: trunks drawn one after the other, many films of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mri2mesh.engines.revert.training.elsewhere import SHARE_OF_FILMS, elsewhere_ring, films_elsewhere
from mri2mesh.errors import InputError
from mri2mesh.learning.ring import FileRing, wanted
from mri2mesh.synthesis.films.case import FilmCase
from mri2mesh.synthesis.films.lumbar.case import make_lumbar_case
from mri2mesh.synthesis.films.lumbar.region import LumbarMaker
from mri2mesh.synthesis.films.lumbar.trunks import Trunks, draw_trunks, shapes_of
from mri2mesh.synthesis.films.lumbar.views import draw_lumbar_view

LEFT_OUT = ("P002", "sub-verse018")
"""No vertebra of theirs is in the films that are learned from. The first has T10 to L5: he is what is validated on."""
FILM_PIXELS = 256
_FILMS_PER_TRUNK = 24
_MOST_TRUNKS = 240
_VIEWS_OF_ONE = 3
"""Films of one posed person, from different cameras, before the next is drawn."""
_TRIES = 20


def fill_with_films(ring: FileRing, parent: int, seed: int, most: int | None = None) -> None:
    """Makes films as long as the parent process is there, or so many, and those of hips and chests beside them. Trunks
    are kept beside the films."""
    others = None
    made, store, beside = 0, TrunkStore(ring.folder), elsewhere_ring(ring)
    while wanted(parent) and (most is None or made < most):
        number = ring.made()
        trunks = store.number()
        if not trunks or (trunks < _MOST_TRUNKS and trunks * _FILMS_PER_TRUNK <= number):
            others = others or shapes_of(LEFT_OUT, but=True)
            store.add(draw_trunks([trunks], seed, others))
        rng = np.random.default_rng([seed, number])
        for case in films_of(LumbarMaker(store.draw(rng)), rng, _VIEWS_OF_ONE):
            ring.add(case.save)
            made += 1
        if beside.made() < min(ring.made(), ring.capacity) * SHARE_OF_FILMS:
            add_elsewhere(beside, store, seed)


def add_elsewhere(ring: FileRing, store: TrunkStore, seed: int) -> None:
    """Films of one more person's hips or chest. The ring is of `elsewhere.elsewhere_ring`."""
    rng = np.random.default_rng([seed, ring.made(), 1])
    for case in films_elsewhere(store.draw(rng), rng, FILM_PIXELS):
        ring.add(case.save)


def films_of(
    maker: LumbarMaker, rng: np.random.Generator, count: int, strength: float = 0.7
) -> list[FilmCase]:
    """So many films of one posed person. Raises InputError where none could be made."""
    region, films = maker.draw(rng, strength=strength), list[FilmCase]()
    for _ in range(_TRIES):
        if len(films) == count:
            return films
        try:
            films.append(make_lumbar_case(region, draw_lumbar_view(region, rng, FILM_PIXELS), rng))
        except InputError:
            continue  # a bone that reaches the source: another view
    raise InputError("no film of a spine could be made")


def left_out_films(folder: Path, people: int, per_person: int, seed: int) -> list[FilmCase]:
    """Films of spines made of the first left-out subject's own vertebrae, neither blended nor deformed further than the
    postures and sizes of the population ask for. Their trunks are kept in the folder."""
    maker, films = LumbarMaker(left_out_trunks(folder, people, seed)), list[FilmCase]()
    for person in range(people):
        rng = np.random.default_rng([seed, person])
        alone = Trunks(
            maker.trunks.vertices[person : person + 1],
            maker.trunks.frames[person : person + 1],
            maker.trunks.notes[person : person + 1],
        )
        films += films_of(LumbarMaker(alone), rng, per_person, strength=0.0)
    return films


def left_out_trunks(folder: Path, people: int, seed: int) -> Trunks:
    """Spines of the first left-out subject's vertebrae alone, made once and kept in the folder."""
    path = folder / f"left_out_{seed}_{people}.npz"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        draw_trunks(range(people), seed, shapes_of(LEFT_OUT[:1])).save(path)
    return Trunks.load(path)


class TrunkStore:
    """Trunks in a folder, a file each; those that were read stay in memory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[int, Trunks] = {}

    def path(self, number: int) -> Path:
        return self.folder / f"trunk_{number:04d}.npz"

    def number(self) -> int:
        """How many there are."""
        return len(list(self.folder.glob("trunk_*.npz")))

    def add(self, trunk: Trunks) -> None:
        number = self.number()
        temporary = self.folder / f".trunk_{number:04d}.npz"
        trunk.save(temporary)
        temporary.replace(self.path(number))

    def draw(self, rng: np.random.Generator) -> Trunks:
        """One of them, any."""
        number = int(rng.integers(self.number()))
        if number not in self._read:
            self._read[number] = Trunks.load(self.path(number))
        return self._read[number]
