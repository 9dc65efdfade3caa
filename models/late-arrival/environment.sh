# Sets $python: a virtual environment in .venv with exactly the packages of requirements.txt, made when it is missing or other.
if ! cmp -s models/late-arrival/requirements.txt .venv/requirements.txt; then
  python3 -m venv .venv
  .venv/bin/python -m pip install --quiet --disable-pip-version-check -r models/late-arrival/requirements.txt
  cp models/late-arrival/requirements.txt .venv/requirements.txt
fi
python=.venv/bin/python
# The client of this repo, which packs the artifact.
export PYTHONPATH="$PWD/clients/python/src"
