# Stands in for localstack/localstack: S3 and SQS by moto, the AWS command line, the same port, paths and user id.
ARG BASE
FROM ${BASE}
RUN useradd --uid 1000 --user-group --create-home localstack \
 && apt-get -q update \
 && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends python3-moto python3-flask python3-flask-cors awscli curl \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -m 777 /var/lib/localstack \
 && install -d /etc/localstack/init/ready.d
COPY awslocal /usr/local/bin/
COPY serve.py /usr/local/lib/localstack/
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 1000
EXPOSE 4566
ENTRYPOINT ["python3", "/usr/local/lib/localstack/serve.py"]
